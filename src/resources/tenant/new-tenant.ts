/** The requirements of a new tenant: a package, perhaps an owner, and a name that is free. */
import { WcpError } from '../../contract/errors.ts'
import type { Id, TenantName } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import type { PlainPackage } from '../package/schema.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import { trashDays } from '../trash-days.ts'
import { isStaff, scopeOf } from '../visibility.ts'

/** Of those that the tenant's reseller, or the panel, has. Held until the transaction ends, so that it is not deleted meanwhile. */
export async function choosePackage(
  context: Context,
  what: string,
  ref: string | undefined,
  owner: Id | null,
): Promise<PlainPackage> {
  const { packages } = context
  const found = ref === undefined ? await packages.findDefault(owner) : await packages.find(ref, { owner })
  if (found !== undefined) {
    await packages.lock(found.id)
    return packages.get(found.id)
  }
  if (ref === undefined) conflict(what, 'there is no default package', 'Name a package, or make one the default.')
  return badInput(what, {
    field: 'package',
    problem: `"${ref}" does not exist`,
    accepted: 'the id or the name of a package',
  })
}

/** An administrator, or a customer who belongs to no other tenant. */
export async function chooseOwner(context: Context, what: string, ref: string, tenantId?: Id): Promise<Id> {
  const user = await context.users.find(ref, { scope: scopeOf(context.actor) })
  if (user === undefined)
    return badInput(what, {
      field: 'owner',
      problem: `"${ref}" does not exist`,
      accepted: 'the id or the e-mail address of a user',
    })
  if (user.tenantId !== null && user.tenantId !== tenantId)
    badInput(what, {
      field: 'owner',
      problem: 'belongs to another tenant',
      accepted: 'an administrator, or a user of this tenant',
    })
  return user.id
}

/** The seller's tenant of that name which could not be made, to be made again. Refuses a name that is taken. */
export async function findFailed(
  context: Context,
  what: string,
  name: TenantName,
  seller: Id | null,
): Promise<Id | undefined> {
  await context.tenants.lock(name)
  const found = await context.tenants.find(name)
  if (found === undefined) {
    await refuseTrashed(context, what, name, seller)
    return undefined
  }
  if (found.resellerId !== seller) taken(what, 'name', name, 'a name that no other tenant has')
  if (found.status === 'pending') await context.jobs.refuseBusy('tenant', found.id)
  if (found.status !== 'error') taken(what, 'name', name, 'a name that no other tenant has')
  return found.id
}

/** The machine keeps the name of a deleted tenant for its data, which can be brought back under it. */
async function refuseTrashed(context: Context, what: string, name: TenantName, seller: Id | null): Promise<void> {
  const trashed = await context.tenants.find(name, { deleted: true })
  if (trashed?.deletedAt == null) return
  // Of a tenant of somebody else only that the name cannot be had.
  if (!isStaff(context.actor) && trashed.resellerId !== seller)
    taken(what, 'name', name, 'a name that no other tenant has')
  const end = new Date(Date.parse(trashed.deletedAt) + trashDays * 86_400_000).toISOString().slice(0, 10)
  throw new WcpError('conflict', `Cannot ${what}: a deleted tenant of this name is in the trash`, {
    fields: [{ field: 'name', problem: 'is the name of a tenant in the trash', accepted: 'a name that is not in use' }],
    help: `Restore that tenant, choose another name, or wait until ${end}: then it is removed for good.`,
  })
}
