import { describe, expect, it } from 'vitest'
import { pickRole, type Role, type RoleModule } from './roles.ts'

/** Compiles only when each role's entry is what the boot expects. */
const entries = {
  agent: () => import('../agent/main.ts'),
  panel: () => import('../panel/main.ts'),
  waker: () => import('../waker/main.ts'),
  'web-log': () => import('../web-log/main.ts'),
  cli: () => import('../cli/main.ts'),
  pam: () => import('../agent/os/pam-main.ts'),
  drift: () => import('../agent/drift/drift-main.ts'),
  'disk-usage': () => import('../agent/usage/disk-main.ts'),
  'file-worker': () => import('../file-worker/main.ts'),
  'database-link': () => import('../agent/os/databases/link-main.ts'),
  rescue: () => import('../agent/rescue/rescue.ts'),
  'store-rescue': () => import('../panel/rescue/rescue.ts'),
  'self-check': () => import('./self-check.ts'),
} satisfies Record<Role, () => Promise<RoleModule>>

describe('pickRole', () => {
  it.each([
    { argv0: '/usr/bin/wcp', args: ['tenant', 'list'], picked: { role: 'cli', args: ['tenant', 'list'] } },
    { argv0: 'wcp', args: [], picked: { role: 'cli', args: [] } },
    { argv0: 'wcp', args: ['agent'], picked: { role: 'cli', args: ['agent'] } },
    { argv0: 'wcpd', args: [], picked: { role: 'agent', args: [] } },
    { argv0: '/proc/self/exe', args: ['panel', '--fd', '3'], picked: { role: 'panel', args: ['--fd', '3'] } },
    { argv0: 'node', args: ['cli', '--help'], picked: { role: 'cli', args: ['--help'] } },
  ])('takes $argv0 $args for role $picked.role', ({ argv0, args, picked }) => {
    expect(pickRole(argv0, args)).toEqual({ kind: 'role', ...picked })
  })

  it.each(['wcp', 'wcpd'])('answers --version under the name %s', (argv0) => {
    expect(pickRole(argv0, ['--version', 'panel'])).toEqual({ kind: 'version' })
  })

  it.each(['toString', '__proto__', '--inspect', ''])('refuses the word %j', (word) => {
    expect(pickRole('wcpd', [word])).toEqual({ kind: 'unknown', word })
  })
})

describe('each role', () => {
  it.each(Object.entries(entries))('%s exports main', async (_, load) => {
    expect(await load()).toHaveProperty('main')
  })
})
