/** How a call is written into the audit trail and reported to webhooks. */
import type { AnyOperation } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import type { QueuedJob } from '../../resources/job/store.ts'
import type { Stores } from '../../resources/stores.ts'
import { newId } from '../../store/new-id.ts'
import type { Outcome } from '../http/types.ts'
import type { Caller } from './admit.ts'
import { actorId, actorName } from './operation-context.ts'

/** `requestId`: null for what several requests have brought about. */
export type AuditedCaller = Pick<Caller, 'actor' | 'ip'> & { readonly requestId: string | null }

/** Result of one run of an operation. */
export interface Made<T = unknown> extends Outcome<T> {
  readonly queued: readonly QueuedJob[]
}

/** The entry and the news of a change that was made, in its transaction. */
export async function recordChange(
  stores: Stores,
  caller: Caller & Pick<Context, 'actor'>,
  operation: AnyOperation<Context>,
  input: Readonly<Record<string, unknown>>,
  made: Made,
): Promise<void> {
  const open = withoutSecrets(operation, input)
  await stores.jobs.cameFrom(made.jobIds, { operation: operation.name, input: open })
  const metadata = { input: open, ...idsOf(made) }
  await audit(stores, caller, operation.name, 'ok', metadata, made.queued)
  await stores.webhooks.emit(newsOf(operation, caller.actor, made))
}

export async function audit(
  stores: Stores,
  { actor, ip, requestId }: AuditedCaller,
  action: string,
  outcome: 'ok' | 'refused' | 'failed',
  metadata: Record<string, unknown>,
  queued: readonly QueuedJob[] = [],
): Promise<void> {
  const user = actor?.kind === 'user' ? actor : null
  const [tenant] = tenantsOf(queued)
  await stores.audit.append({
    id: newId(),
    at: new Date().toISOString(),
    actor: actorName(actor),
    actorId: actorId(actor),
    tenantId: tenant ?? (user?.scope.kind === 'local' ? user.scope.tenant : null),
    action,
    outcome,
    metadata: { ...metadata, ...(user?.impersonator && { as: user.email }), ...(user?.key && { key: user.key.id }) },
    ip,
    requestId,
  })
}

export function tenantsOf(queued: readonly QueuedJob[]): Id[] {
  return queued.map(({ payload }) => payload.tenant)
}

function withoutSecrets(operation: AnyOperation<Context>, input: Readonly<Record<string, unknown>>) {
  const secret = new Set([...(operation.secret ?? []), ...(operation.unrecorded ?? [])])
  return Object.fromEntries(Object.entries(input).filter(([key, value]) => !secret.has(key) && value !== undefined))
}

/** The event of a change for webhooks: its caller and its subject, never the input. */
function newsOf({ name }: AnyOperation<Context>, actor: Actor, made: Made) {
  const [tenant = null] = tenantsOf(made.queued)
  return { type: name, data: { actor: actorName(actor), tenant, ...idsOf(made) } }
}

function idsOf({ value, jobIds }: Outcome<unknown>) {
  const id = typeof value === 'object' && value !== null && 'id' in value ? { id: value.id } : {}
  return { ...id, ...(jobIds.length > 0 && { jobs: jobIds }) }
}
