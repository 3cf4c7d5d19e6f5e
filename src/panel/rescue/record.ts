/** What root did by `wcp emergency`, as the audit trail has it: in the transaction of the change itself. */
import type { Id } from '../../contract/values.ts'
import type { Stores } from '../../resources/stores.ts'
import { newId } from '../../store/new-id.ts'

export interface EmergencyEntry {
  readonly now: string
  /** The word behind `wcp emergency`. */
  readonly verb: string
  readonly tenantId?: Id
  readonly metadata: Readonly<Record<string, unknown>>
}

export async function record(
  { audit }: Pick<Stores, 'audit'>,
  { now, verb, tenantId, metadata }: EmergencyEntry,
): Promise<void> {
  await audit.append({
    id: newId(),
    at: now,
    actor: 'root',
    actorId: null,
    tenantId: tenantId ?? null,
    action: `emergency.${verb}`,
    outcome: 'ok',
    metadata,
    ip: null,
    requestId: null,
  })
}
