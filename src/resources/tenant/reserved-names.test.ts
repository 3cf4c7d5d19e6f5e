import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { slices } from '../../../test/support/slices.ts'
import { TenantName } from '../../contract/values.ts'
import { isReservedName } from './reserved-names.ts'

const { name } = slices.tenant.create.input.shape

describe('the name of a tenant', () => {
  it.each(['acme', 'shop24', 'a12', 'x'.repeat(24), 'johnsmith', 'phpfans'])('may be %s', (text) => {
    expect(name.safeParse(text).success).toBe(true)
  })

  it.each([
    '1234',
    '0day',
    'ünï',
    'A',
    'Acme',
    'ab',
    'a.b',
    'a$',
    'a-b',
    'a_b',
    '-rf',
    '--help',
    'root ',
    ' root',
    'acme\n',
    'acme\0',
    'acme\u202e',
    'асме',
    '../acme',
    'acme/..',
    '$(id)',
    '`id`',
    'acme;id',
    '',
    'x'.repeat(25),
    'x'.repeat(33),
    'x'.repeat(256),
    'a'.repeat(200_000),
    'root',
    'daemon',
    'wcp360',
    'wcp360waker',
    'wcpd',
    'mysql',
    'postgres',
    'nginx',
    'nobody',
    'nogroup',
    'sudo',
    'docker',
    'systemdnetwork',
    'redis',
    'vmail',
    'sshd',
    'messagebus',
    'shadow',
    'proc',
    'tmp',
    'trash',
    'default',
    'php84',
  ])('is never %j', (text) => {
    expect(name.safeParse(text).success).toBe(false)
  })

  it('is never one of the accounts and groups that this machine came with', () => {
    const own = ['/etc/passwd', '/etc/group'].flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    const system = own
      .map((line) => line.split(':'))
      .filter(([, , id]) => Number(id) < 100 || Number(id) >= 65_000)
      .flatMap(([account]) => (TenantName.safeParse(account).success && account !== undefined ? [account] : []))

    expect(system.length).toBeGreaterThan(10)
    expect(system.filter((account) => !isReservedName(account))).toEqual([])
  })
})
