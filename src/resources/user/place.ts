/** Where a new or moved user belongs: the role, the tenant, and an address that nobody has. */
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { badInput, taken } from '../refusals.ts'
import { demandHolding } from '../rights.ts'
import type { Role } from '../role/schema.ts'
import { scopeOf } from '../visibility.ts'

export async function refuseTaken({ users }: Context, what: string, address: string): Promise<void> {
  await users.lock(address)
  if (await users.find(address)) taken(what, 'email', address, 'an address that no other user has')
}

/** A role that the actor sees and whose permissions he has himself. */
export async function roleToGive(context: Context, what: string, ref: string): Promise<Role> {
  const role = await context.roles.find(ref, { scope: scopeOf(context.actor) })
  if (role === undefined)
    return badInput(what, { field: 'role', problem: 'does not exist', accepted: 'the id or the name of a role' })
  if (role.scope === 'reseller')
    badInput(what, {
      field: 'role',
      problem: 'is for resellers',
      accepted: 'another role; "wcp reseller create" makes one',
    })
  await context.roles.lock(role.id)
  demandHolding(context.actor, what, role.holdsAll ? 'all' : new Set(role.permissions))
  return role
}

/** A user with a local role has one tenant, staff has none. */
export async function tenantFor(
  context: Context,
  what: string,
  role: Role,
  ref: string | undefined,
): Promise<Id | null> {
  if (role.scope === 'global') {
    if (ref === undefined) return null
    return badInput(what, { field: 'tenant', problem: 'is not for this role', accepted: 'nothing here' })
  }
  const accepted = 'the id or the name of a tenant'
  if (ref === undefined) return badInput(what, { field: 'tenant', problem: 'is missing', accepted })
  const found = await context.tenants.find(ref, { scope: scopeOf(context.actor) })
  return found?.id ?? badInput(what, { field: 'tenant', problem: 'does not exist', accepted })
}
