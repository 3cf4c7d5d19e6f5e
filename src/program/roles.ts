/** The roles that one executable plays, and how its name and first argument pick one. Pure: the boot is only as safe as this table. */
import { basename } from 'node:path'

/** Each role's own entry below `src/`, bundled apart from the others. Adding a role is adding a line. */
export const roleSources = {
  agent: 'agent/main.ts',
  panel: 'panel/main.ts',
  waker: 'waker/main.ts',
  'web-log': 'web-log/main.ts',
  cli: 'cli/main.ts',
  pam: 'agent/os/pam-main.ts',
  drift: 'agent/drift/drift-main.ts',
  'disk-usage': 'agent/usage/disk-main.ts',
  'file-worker': 'file-worker/main.ts',
  'database-link': 'agent/os/databases/link-main.ts',
  rescue: 'agent/rescue/rescue.ts',
  'store-rescue': 'panel/rescue/rescue.ts',
  'self-check': 'program/self-check.ts',
} as const

export type Role = keyof typeof roleSources

export const roleNames = Object.keys(roleSources) as readonly Role[]

/** The export of every role's entry; a number becomes the exit code once nothing is left to do. */
export interface RoleModule {
  readonly main: (argv: string[]) => Promise<unknown>
}

export type Choice =
  | { readonly kind: 'role'; readonly role: Role; readonly args: string[] }
  | { readonly kind: 'version' | 'notices' }
  | { readonly kind: 'unknown'; readonly word: string }

/** `wcp …` is the command line; under any other name (`wcpd`, `/proc/self/exe`) the first word is the role, and none means the agent. */
export function pickRole(argv0: string, args: readonly string[]): Choice {
  const [first, ...rest] = args
  if (first === '--version') return { kind: 'version' }
  if (first === '--notices') return { kind: 'notices' }
  if (basename(argv0) === 'wcp') return { kind: 'role', role: 'cli', args: [...args] }
  if (first === undefined) return { kind: 'role', role: 'agent', args: [] }
  if (isRole(first)) return { kind: 'role', role: first, args: rest }
  return { kind: 'unknown', word: first }
}

function isRole(word: string): word is Role {
  return Object.hasOwn(roleSources, word)
}
