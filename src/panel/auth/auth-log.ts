/** Sign-ins and their like in the audit trail. */
import type { FastifyRequest } from 'fastify'
import type { Id } from '../../contract/values.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { clientAddress } from '../http/client-address.ts'

export interface AuthEvent {
  readonly action:
    | 'auth.login'
    | 'auth.code'
    | 'auth.confirm'
    | 'auth.reset'
    | 'auth.password'
    | 'auth.email'
    | 'auth.logout'
    | 'auth.root'
    | 'auth.bootstrap'
    | 'auth.end_impersonation'
  readonly outcome: 'ok' | 'refused'
  /** null before anybody is known. */
  readonly user: { readonly id: Id; readonly email: string; readonly tenant: Id | null } | null
  readonly metadata: Record<string, unknown>
}

/** @param tx the transaction of what the entry tells about, where it changes something */
export async function recordAuth(
  stores: (db: Db) => Stores,
  tx: Db,
  request: FastifyRequest,
  { action, outcome, user, metadata }: AuthEvent,
): Promise<void> {
  await stores(tx).audit.append({
    id: newId(),
    at: new Date().toISOString(),
    actor: user?.email ?? 'nobody',
    actorId: user?.id ?? null,
    tenantId: user?.tenant ?? null,
    action,
    outcome,
    metadata,
    ip: clientAddress(request),
    requestId: request.id,
  })
}
