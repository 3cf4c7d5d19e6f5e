/** Which verbs a status allows, and the refusal of the others in words. */
import type { Id } from '../contract/values.ts'
import type { Context } from './context.ts'
import { conflict } from './refusals.ts'

interface Row {
  readonly id: Id
  /** Of what belongs to a tenant. */
  readonly tenantId?: Id
  readonly status: string
}

const allowed = {
  update: ['active', 'suspended', 'locked'],
  suspend: ['active', 'suspended', 'locked'],
  unsuspend: ['suspended'],
  repair: ['active', 'suspended', 'locked'],
  delete: ['active', 'suspended', 'locked', 'error', 'unverified'],
  restore: ['deleted'],
  run: ['active'],
} as const satisfies Record<string, readonly string[]>

export type Verb = keyof typeof allowed

const remedies: Record<string, string> = {
  unverified: 'Prove that its name is yours first; to ask for something else, send its create request again.',
  error: 'It was never made: send its create request again, or delete it.',
  suspended: 'Unsuspend brings it back.',
  active: 'It is running already.',
  locked: 'Its sites are served; unlock lets its people in again.',
  deleted: 'It is in the trash; restore brings it back.',
}

/** Refuses with `busy` while the row, or the tenant that it belongs to, has an active job, and with `conflict` when its status does not allow the verb. */
export async function mayChange(
  context: Context,
  { kind, row, name, verb }: { kind: string; row: Row; name: string; verb: Verb },
): Promise<void> {
  await context.jobs.refuseBusy(kind, row.id, row.tenantId)
  const fitting: readonly string[] = allowed[verb]
  if (fitting.includes(row.status)) return
  conflict(`${verb} ${kind} "${name}"`, `it is ${row.status}`, remedies[row.status] ?? 'Look at it again in a moment.')
}
