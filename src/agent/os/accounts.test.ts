import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { accountLookup, systemAccounts } from './accounts.ts'

const group = 'root:x:0:\nwww-data:x:33:wcp360-web\nwcp360-web:x:994:\n'
const others =
  'wcp360-waker:x:997:996::/nonexistent:/usr/sbin/nologin\nwcp360-log:x:996:994::/nonexistent:/usr/sbin/nologin\n'

describe('systemAccounts', () => {
  it('reads the numbers of panel, waker, log and web server', () => {
    const passwd = `root:x:0:0::/root:/bin/bash\nwcp360:x:998:995::/nonexistent:/usr/sbin/nologin\n${others}`

    expect(systemAccounts(passwd, group)).toEqual({
      panel: { uid: 998, gid: 995 },
      waker: { uid: 997, gid: 996 },
      log: { uid: 996, gid: 994 },
      webGid: 33,
      workers: { name: 'wcp360-web', gid: 994 },
    })
  })

  it.each([
    ['is missing', others, 'Cannot find account "wcp360": run the installer again'],
    ['is root', `wcp360:x:0:995::/:/bin/sh\n${others}`, 'Cannot use account "wcp360": it has root\'s ids'],
    [
      'has the group of root',
      `wcp360:x:998:0::/:/bin/sh\n${others}`,
      'Cannot use account "wcp360": it has root\'s ids',
    ],
    ['has no number', `wcp360:x:998::\n${others}`, 'Cannot read account "wcp360": no numeric id'],
  ])('refuses a panel account that %s', (_case, passwd, message) => {
    expect(() => systemAccounts(passwd, group)).toThrow(message)
  })
})

describe('accountLookup', () => {
  it('knows names and numbers that are taken, and those that are free', async () => {
    expect(await accountLookup.userExists('root')).toBe(true)
    expect(await accountLookup.userExists(0)).toBe(true)
    expect(await accountLookup.groupExists('root')).toBe(true)
    expect(await accountLookup.userExists('wcp360nobody')).toBe(false)
    expect(await accountLookup.groupExists(59_998)).toBe(false)
    expect(await accountLookup.userExists('--help')).toBe(false)
  })

  it('says why when the machine cannot tell', () => {
    const argv = ['--nofile=64', process.execPath, '--input-type=module', '-e', withoutDescriptors]

    expect(execFileSync('/usr/bin/prlimit', argv, { encoding: 'utf8' })).toBe(
      'machine_failed: Cannot look "root" up among the accounts of this machine: EMFILE',
    )
  })
})

/** Libraries are loaded by the first question; the second one finds no descriptor free. */
const withoutDescriptors = `
  import { openSync } from 'node:fs'
  import { accountLookup } from '${import.meta.dirname}/accounts.ts'
  await accountLookup.userExists('root')
  try { for (;;) openSync('/dev/null') } catch {}
  process.stdout.write(await accountLookup.userExists('root').catch(({ code, message }) => code + ': ' + message))
`
