/** SSH sessions of tenants as the root side tells of them. */
import { z } from 'zod'
import { Id } from './values.ts'

/** So many one answer holds, and so many are told back at once. */
export const sshSessionsPage = 500

export const SshSession = z.strictObject({
  id: Id,
  tenant: Id,
  at: z.iso.datetime(),
  /** Address that it came from; null where sshd did not say one. */
  from: z.string().max(45).nullable(),
  /** Id and name of its key; null when the tenant does not have that key any more. */
  key: z.strictObject({ id: Id, name: z.string().max(64) }).nullable(),
  /** It goes on. */
  isOpen: z.boolean(),
})
export type SshSession = z.infer<typeof SshSession>

/** Answer to `ssh_sessions`: the oldest first, those that are over among them until they were told back. */
export const SshSessions = z.array(SshSession).max(sshSessionsPage)
export type SshSessions = z.infer<typeof SshSessions>
