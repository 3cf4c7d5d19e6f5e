/** PAM as the machine has it: a service and an account of the test's own, checked by the code that checks root's password. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyRootByPam } from '../../src/agent/os/pam.ts'
import { askPam } from '../../src/agent/os/pam-main.ts'

const service = 'wcp360-test'
const user = 'wcp360pamtest'
const password = 'Correct horse ü 7'

describe.skipIf(process.getuid?.() !== 0)('PAM', () => {
  beforeAll(() => {
    writeFileSync(`/etc/pam.d/${service}`, '@include common-auth\n@include common-account\n')
    execFileSync('/usr/sbin/useradd', ['--no-create-home', '--shell', '/usr/sbin/nologin', '--', user])
    execFileSync('/usr/sbin/chpasswd', [], { input: `${user}:${password}\n` })
  })

  afterAll(() => {
    execFileSync('/usr/sbin/userdel', ['--', user])
    rmSync(`/etc/pam.d/${service}`)
  })

  const ask = (text: string, name = user) => askPam({ service, user: name, password: text, from: '192.0.2.7' })

  it('says yes to the right password', () => {
    expect(ask(password)).toEqual({ ok: true, stage: 'done', reason: '' })
  })

  it.each([
    ['a wrong password', 'wrong', user],
    ['a very long password', 'x'.repeat(1024), user],
    ['a password with a line break', `${password}\n`, user],
    ['an unknown account', password, 'wcp360nobody'],
  ])('says no to %s, without a delay of its own', (_case, text, name) => {
    const since = performance.now()

    const answer = ask(text, name)

    expect(answer).toMatchObject({ ok: false, stage: 'authenticate' })
    expect(performance.now() - since).toBeLessThan(1000)
  })

  it('says no to an expired account with the right password', () => {
    execFileSync('/usr/sbin/usermod', ['--expiredate', '1', '--', user])

    const answer = ask(password)

    execFileSync('/usr/sbin/usermod', ['--expiredate', '', '--', user])
    expect(answer).toMatchObject({ ok: false, stage: 'account' })
  })

  it('says no to a locked account', () => {
    execFileSync('/usr/sbin/usermod', ['--lock', '--', user])

    expect(ask(password)).toMatchObject({ ok: false, stage: 'authenticate' })
  })

  it('does not call a password wrong when the check did not end in time', async () => {
    const silent = { info: () => {}, warn: () => {}, error: () => {} }

    await expect(verifyRootByPam(password, '', silent, 1)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
