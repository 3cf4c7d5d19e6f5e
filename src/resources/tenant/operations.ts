/** Tenants: the customers' accounts. */
import { z } from 'zod'
import { nameOf } from '../actor.ts'
import { Accepted, AcceptedMaybe } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { AcceptedOrAsked } from '../domain/schema.ts'
import { type HeldThing, type HoldChange, suspend as hold, holdsShown, unsuspend as lift } from '../hold/hold.ts'
import { AcceptedHold, holdRule, liftRule, suspendInput, unsuspendInput } from '../hold/schema.ts'
import { deletedInput, Flag, listInput, pageOf, searchInput, sortInput } from '../listing.ts'
import { PackageRef } from '../package/schema.ts'
import { withinAllotment } from '../reseller/allotment.ts'
import { chooseSeller } from '../reseller/choose-seller.ts'
import { ResellerRef } from '../reseller/schema.ts'
import { mayChange, type Verb } from '../status-guard.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { changePackage } from './change-package.ts'
import { createTenant, NewTenant, owner } from './create-tenant.ts'
import { DisplayName, refuseTakenName } from './display-name.ts'
import { tenantAdopt, tenantDelete, tenantRepair, tenantSuspend, tenantUnsuspend } from './jobs.ts'
import { chooseOwner } from './new-tenant.ts'
import { restoreTenant } from './restore-tenant.ts'
import { Tenant, TenantRef, TenantStatus, UsagePeriod, UsageSpan } from './schema.ts'

const target = { tenant: TenantRef }

export const list = defineOperation({
  name: 'tenant.list',
  summary: 'List tenants',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /tenants',
  positional: [],
  columns: ['name', 'displayName', 'status', 'packageName', 'domains', 'ownerEmail'],
  input: () =>
    z.strictObject({
      status: TenantStatus.optional().describe('Tenants in this status only'),
      package: PackageRef.optional().describe('Tenants with this package only'),
      reseller: ResellerRef.optional().describe('Tenants of this reseller only'),
      search: searchInput.search.describe(
        'Text that its name or its owner’s address holds, or a name of its sites begins with',
      ),
      named: Flag.default(false).describe('Search its own names alone'),
      total: searchInput.total,
      ...sortInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(Tenant),
  async run({ tenants, packages, resellers, actor }, { package: packageRef, reseller, ...query }) {
    const scope = scopeOf(actor)
    const packageId = packageRef === undefined ? undefined : (await packages.get(packageRef, { scope })).id
    const resellerId = reseller === undefined ? undefined : (await resellers.get(reseller, { scope })).id
    return tenants.list({ ...query, packageId, resellerId, scope })
  },
})

export const get = defineOperation({
  name: 'tenant.get',
  summary: 'Show a tenant',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /tenants/{tenant}',
  positional: ['tenant'],
  input: () => z.strictObject(target),
  output: () => Tenant,
  async run(context, input) {
    const deleted = (await context.tenants.find(input.tenant, { scope: scopeOf(context.actor) })) === undefined
    const tenant = await visibleTenant(context, input.tenant, { deleted })
    const on = { kind: 'tenant', id: tenant.id } as const
    const [holds, locks] = [await holdsShown(context, on), await holdsShown(context, { ...on, effect: 'lock' })]
    const { maxDomains, diskMb: maxDiskMb } = await context.packages.get(tenant.packageId)
    const usage = { ...(await context.usage.of(tenant)), maxDomains, maxDiskMb }
    return { ...tenant, holds, locks, usage, uid: await context.machine.uid(tenant.id) }
  },
})

export const usage = defineOperation({
  name: 'tenant.usage',
  summary: 'Show what a tenant has used, by day or by month',
  description:
    'The newest first, in UTC. Traffic is what was sent to visitors; "tenant.get" has the figures of now beside the limits.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] },
  http: 'GET /tenants/{tenant}/usage',
  positional: ['tenant'],
  columns: ['period', 'domains', 'diskMb', 'trafficMb'],
  input: () => z.strictObject({ ...target, span: UsageSpan.default('day').describe('Rows of days or of months') }),
  output: () => z.strictObject({ items: z.array(UsagePeriod), nextCursor: z.null() }),
  async run(context, { tenant: ref, span }) {
    const { id } = await visibleTenant(context, ref)
    return { items: await context.usage.history(id, span), nextCursor: null }
  },
})

export const create = defineOperation({
  name: 'tenant.create',
  summary: 'Create a tenant, and with --domain its first site',
  description:
    'Sending it again after a failure makes the same tenant anew. Without package the tenant gets the default package.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /tenants',
  positional: ['name'],
  input: () => NewTenant,
  output: () => z.strictObject({ ...Accepted.shape, domain: AcceptedOrAsked.nullable() }),
  async run(context, input) {
    const what = `create tenant "${input.name}"`
    const seller = await chooseSeller(context, what, input.reseller)
    return withinAllotment(context, what, seller, () => createTenant(context, what, input, seller))
  },
})

export const update = defineOperation({
  name: 'tenant.update',
  summary: 'Give a tenant another display name, package, owner or reseller',
  description:
    'Another package changes the limits on the machine, by a job; another name or owner needs none. With another reseller goes a package of that one: the default, unless another is named.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'PATCH /tenants/{tenant}',
  positional: ['tenant'],
  input: () =>
    z.strictObject({
      ...target,
      displayName: DisplayName.nullable().optional(),
      package: PackageRef.optional(),
      owner: owner.optional(),
      reseller: ResellerRef.nullable().optional().describe('Reseller whose customer it becomes, or none'),
    }),
  output: () => AcceptedMaybe,
  async run(context, input) {
    const tenant = await visibleTenant(context, input.tenant)
    const { id, name } = tenant
    const what = `update tenant "${name}"`
    if (input.displayName) await refuseTakenName(context, what, input.displayName, id)
    const seller = input.reseller === undefined ? tenant.resellerId : await chooseSeller(context, what, input.reseller)
    const change = { ref: input.package, seller }
    const jobId =
      input.package === undefined && seller === tenant.resellerId
        ? null
        : await withinAllotment(context, what, seller, () => changePackage(context, what, tenant, change))
    if (input.displayName !== undefined) await context.tenants.setDisplayName(id, input.displayName)
    if (input.owner !== undefined) await context.tenants.setOwner(id, await chooseOwner(context, what, input.owner, id))
    return { id, jobId }
  },
})

export const suspend = defineOperation({
  name: 'tenant.suspend',
  summary: 'Suspend a tenant: its sites show a notice, its processes stop',
  description: holdRule,
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /tenants/{tenant}/suspend',
  positional: ['tenant'],
  confirm: 'Suspend this tenant? Its sites show a notice and its processes stop until it is unsuspended.',
  input: () => z.strictObject({ ...target, ...suspendInput }),
  output: () => AcceptedHold,
  async run(context, { tenant: ref, ...why }) {
    const tenant = await ready(context, ref, 'suspend')
    const { id } = tenant
    const close = (change: HoldChange) => context.enqueue(tenantSuspend, { tenant: id }, change)
    return { id, ...(await hold(context, held(tenant), why, close)) }
  },
})

export const unsuspend = defineOperation({
  name: 'tenant.unsuspend',
  summary: 'Lift a hold on a tenant: with the last one its sites come back',
  description: liftRule,
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /tenants/{tenant}/unsuspend',
  positional: ['tenant'],
  input: () => z.strictObject({ ...target, ...unsuspendInput }),
  output: () => AcceptedHold,
  async run(context, { tenant: ref, reason }) {
    const tenant = await ready(context, ref, 'unsuspend')
    const { id } = tenant
    const open = (change: HoldChange) => context.enqueue(tenantUnsuspend, { tenant: id }, change)
    return { id, ...(await lift(context, held(tenant), reason, open)) }
  },
})

export const repair = defineOperation({
  name: 'tenant.repair',
  summary: 'Put back what on the machine differs from what the panel wants of a tenant',
  description:
    'A plan shows what differs and what it would be made. It is the job that creation is, with what holds already left alone; its domains are put back one by one.',
  effect: 'machine',
  policy: { scopes: ['global'] },
  http: 'POST /tenants/{tenant}/repair',
  positional: ['tenant'],
  input: () => z.strictObject({ ...target, adopted: z.boolean().default(false).describe('Also what was adopted') }),
  output: () => Accepted,
  async run(context, { tenant: ref, adopted }) {
    const { id } = await ready(context, ref, 'repair')
    return { id, jobId: await context.enqueue(tenantRepair, { tenant: id, ...(adopted && { adopted }) }) }
  },
})

export const adopt = defineOperation({
  name: 'tenant.adopt',
  summary: "Adopt what somebody else wrote into the configuration of a tenant's PHP",
  description:
    'It stays in force until the panel would write another text there, as after a change of limits or an update, and is shown with who adopted it. Owners, modes, links and accounts are never adopted. A plan shows the text.',
  effect: 'machine',
  policy: { scopes: ['global'] },
  stepUp: true,
  http: 'POST /tenants/{tenant}/adopt',
  positional: ['tenant'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, input) {
    const { id } = await ready(context, input.tenant, 'repair')
    return { id, jobId: await context.enqueue(tenantAdopt, { tenant: id, by: nameOf(context.actor) }) }
  },
})

export const remove = defineOperation({
  name: 'tenant.delete',
  summary: 'Move a tenant with all its sites and data to the trash',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  stepUp: true,
  http: 'DELETE /tenants/{tenant}',
  positional: ['tenant'],
  confirm: 'Move this tenant with all its sites and data to the trash? It can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, input) {
    const { id } = await ready(context, input.tenant, 'delete')
    return { id, jobId: await context.enqueue(tenantDelete, { tenant: id }) }
  },
})

export const restore = defineOperation({
  name: 'tenant.restore',
  summary: 'Bring a tenant and what went with it back from the trash',
  description: 'As it was: what was suspended comes back suspended.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /tenants/{tenant}/restore',
  positional: ['tenant'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, input) {
    const tenant = await ready(context, input.tenant, 'restore')
    const what = `restore tenant "${tenant.name}"`
    return withinAllotment(context, what, tenant.resellerId, () => restoreTenant(context, tenant))
  },
})

/** The tenant, if the actor may see it and its status allows the verb. */
async function ready(context: Context, ref: string, verb: Verb): Promise<Tenant> {
  const tenant = await visibleTenant(context, ref, { deleted: verb === 'restore' })
  await context.tenants.lock(tenant.id)
  await mayChange(context, { kind: 'tenant', row: tenant, name: tenant.name, verb })
  return tenant
}

function held({ id, name, status }: Tenant): HeldThing {
  return { kind: 'tenant', id, name, tenantId: id, isClosed: status === 'suspended' }
}
