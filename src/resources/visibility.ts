/** The visibility of others' things to a caller. Things that may not be seen are not found. */
import type { Id } from '../contract/values.ts'
import type { Actor } from './actor.ts'
import type { Context } from './context.ts'
import { everything, type Scope } from './scope.ts'
import type { Tenant } from './tenant/schema.ts'

export function scopeOf(actor: Actor): Scope {
  return actor.kind === 'user' ? actor.scope : everything
}

/** Root and the panel's own people: they see the things of everybody, and learn who stands in their way. */
export function isStaff(actor: Actor): boolean {
  return scopeOf(actor).kind === 'global'
}

/** The reseller whose things the actor makes and names; null for staff and for customers. */
export function ownReseller(actor: Actor): Id | null {
  const scope = scopeOf(actor)
  return scope.kind === 'reseller' ? scope.reseller : null
}

/** Whether the actor may list a kind at all. */
export function mayList(actor: Actor, kind: string): boolean {
  return actor.kind === 'root' || actor.permissions === 'all' || actor.permissions.has(`${kind}.list`)
}

export async function visibleTenant(context: Context, ref: string, options?: { deleted?: boolean }): Promise<Tenant> {
  return context.tenants.get(ref, { ...options, scope: scopeOf(context.actor) })
}
