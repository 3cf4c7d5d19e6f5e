/** Who may see what: a customer sees one tenant, everybody else all. What may not be seen is not found. */
import type { Id } from '../contract/values.ts'
import type { Actor, Context } from './context.ts'
import { notFound } from './refusals.ts'
import type { Tenant } from './tenant/schema.ts'

/** The one tenant the actor sees; null: all of them. */
export function onlyTenant(actor: Actor): Id | null {
  return actor.kind === 'user' ? actor.tenant : null
}

export async function visibleTenant(context: Context, ref: string, options?: { deleted?: boolean }): Promise<Tenant> {
  const tenant = await context.tenants.get(ref, options)
  const only = onlyTenant(context.actor)
  return only === null || tenant.id === only ? tenant : notFound('tenant', ref)
}
