/** Tenants: the customers' accounts. */
import { z } from 'zod'
import { TenantName } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { isReservedName } from '../../lib/reserved-names.ts'
import { Accepted, AcceptedMaybe } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { addDomain } from '../domain/add-domain.ts'
import { PhpChoice } from '../domain/php-choice.ts'
import { deletedInput, listInput, pageOf, searchInput } from '../listing.ts'
import { limitsOf } from '../package/limits.ts'
import { PackageRef } from '../package/schema.ts'
import { mayChange, type Verb } from '../status-guard.ts'
import { UserRef } from '../user/schema.ts'
import { onlyTenant, visibleTenant } from '../visibility.ts'
import { changePackage } from './change-package.ts'
import { tenantCreate, tenantDelete, tenantSuspend, tenantUnsuspend } from './jobs.ts'
import { chooseOwner, choosePackage, findFailed } from './new-tenant.ts'
import { restoreTenant } from './restore-tenant.ts'
import { Tenant, TenantRef, TenantStatus } from './schema.ts'

const target = { tenant: TenantRef }
const owner = UserRef.describe('User who is responsible for it, by id or e-mail address')

export const list = defineOperation({
  name: 'tenant.list',
  summary: 'List tenants',
  effect: 'read',
  http: 'GET /tenants',
  positional: [],
  columns: ['name', 'status', 'packageName', 'domains', 'ownerEmail'],
  input: z.strictObject({
    status: TenantStatus.optional().describe('Tenants in this status only'),
    package: PackageRef.optional().describe('Tenants with this package only'),
    ...searchInput,
    ...deletedInput,
    ...listInput,
  }),
  output: pageOf(Tenant),
  async run(context, { package: ref, ...query }) {
    const packageId = ref === undefined ? undefined : (await context.packages.get(ref)).id
    return context.tenants.list({ ...query, packageId, only: onlyTenant(context.actor) })
  },
})

export const get = defineOperation({
  name: 'tenant.get',
  summary: 'Show a tenant',
  effect: 'read',
  http: 'GET /tenants/{tenant}',
  positional: ['tenant'],
  input: z.strictObject(target),
  output: Tenant,
  async run(context, input) {
    const deleted = (await context.tenants.find(input.tenant)) === undefined
    return visibleTenant(context, input.tenant, { deleted })
  },
})

export const create = defineOperation({
  name: 'tenant.create',
  summary: 'Create a tenant, and with --domain its first site',
  description:
    'Sending it again after a failure makes the same tenant anew. Without package the tenant gets the default package.',
  effect: 'machine',
  http: 'POST /tenants',
  positional: ['name'],
  input: z.strictObject({
    name: TenantName.refine((name) => !isReservedName(name), {
      error: 'a name that the system does not use itself',
    }).describe('Name of the tenant and of its Linux user'),
    package: PackageRef.optional(),
    owner: owner.optional(),
    domain: DomainName.optional().describe('First domain, such as shop.example.com'),
    php: PhpChoice.optional().describe('PHP version of the first domain, or none'),
  }),
  output: z.strictObject({ ...Accepted.shape, domain: Accepted.nullable() }),
  async run(context, input) {
    const { name } = input
    const what = `create tenant "${name}"`
    const chosen = await choosePackage(context, what, input.package)
    const ownerId = input.owner === undefined ? null : await chooseOwner(context, what, input.owner)
    const failed = await findFailed(context, what, name)
    const id = failed ?? context.newId()
    if (failed === undefined) await context.tenants.insert({ id, name, packageId: chosen.id, ownerId })
    const jobId = await context.enqueue(tenantCreate, { tenant: id, name, limits: limitsOf(chosen) })
    if (failed !== undefined) await context.tenants.update(id, { packageId: chosen.id, ownerId })
    const first = { fqdn: input.domain, aliases: [], php: input.php }
    const domain =
      first.fqdn === undefined
        ? null
        : await addDomain(context, { id, name, packageId: chosen.id }, { ...first, fqdn: first.fqdn })
    return { id, jobId, domain }
  },
})

export const update = defineOperation({
  name: 'tenant.update',
  summary: 'Give a tenant another package or owner',
  description: 'Another package changes the limits on the machine, by a job; another owner needs none.',
  effect: 'machine',
  http: 'PATCH /tenants/{tenant}',
  positional: ['tenant'],
  input: z.strictObject({ ...target, package: PackageRef.optional(), owner: owner.optional() }),
  output: AcceptedMaybe,
  async run(context, input) {
    const tenant = await visibleTenant(context, input.tenant)
    const { id, name } = tenant
    const what = `update tenant "${name}"`
    const jobId = input.package === undefined ? null : await changePackage(context, what, tenant, input.package)
    if (input.owner !== undefined)
      await context.tenants.update(id, { ownerId: await chooseOwner(context, what, input.owner, id) })
    return { id, jobId }
  },
})

export const suspend = defineOperation({
  name: 'tenant.suspend',
  summary: 'Suspend a tenant: its sites show a notice, its processes stop',
  effect: 'machine',
  http: 'POST /tenants/{tenant}/suspend',
  positional: ['tenant'],
  confirm: 'Suspend this tenant? Its sites show a notice and its processes stop until it is unsuspended.',
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id } = await ready(context, input.tenant, 'suspend')
    return { id, jobId: await context.enqueue(tenantSuspend, { tenant: id }) }
  },
})

export const unsuspend = defineOperation({
  name: 'tenant.unsuspend',
  summary: 'Bring a suspended tenant back',
  effect: 'machine',
  http: 'POST /tenants/{tenant}/unsuspend',
  positional: ['tenant'],
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id } = await ready(context, input.tenant, 'unsuspend')
    return { id, jobId: await context.enqueue(tenantUnsuspend, { tenant: id }) }
  },
})

export const remove = defineOperation({
  name: 'tenant.delete',
  summary: 'Move a tenant with all its sites and data to the trash',
  effect: 'machine',
  http: 'DELETE /tenants/{tenant}',
  positional: ['tenant'],
  confirm: 'Move this tenant with all its sites and data to the trash? It can be restored within 30 days.',
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id } = await ready(context, input.tenant, 'delete')
    return { id, jobId: await context.enqueue(tenantDelete, { tenant: id }) }
  },
})

export const restore = defineOperation({
  name: 'tenant.restore',
  summary: 'Bring a tenant and what went with it back from the trash',
  effect: 'machine',
  http: 'POST /tenants/{tenant}/restore',
  positional: ['tenant'],
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    return restoreTenant(context, await ready(context, input.tenant, 'restore'))
  },
})

/** The tenant, if the actor may see it and its status allows the verb. */
async function ready(context: Context, ref: string, verb: Verb): Promise<Tenant> {
  const tenant = await visibleTenant(context, ref, { deleted: verb === 'restore' })
  await context.tenants.lock(tenant.id)
  await mayChange(context, { kind: 'tenant', row: tenant, name: tenant.name, verb })
  return tenant
}
