/** Domains: the sites of a tenant under their names. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { Accepted } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, listInput, pageOf, searchInput } from '../listing.ts'
import { conflict } from '../refusals.ts'
import { mayChange, type Verb } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { addDomain } from './add-domain.ts'
import { claimNames } from './claim.ts'
import { refuseOverLimit } from './domain-limit.ts'
import { domainDelete, domainRestore, domainSuspend, domainUnsuspend, domainUpdate } from './jobs.ts'
import { choosePhp, PhpChoice } from './php-choice.ts'
import { Domain, DomainStatus } from './schema.ts'

const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain, by id or name')
const aliases = z
  .array(DomainName, { error: 'a list of host names' })
  .max(50, { error: 'at most 50 names' })
  .describe('Other names of the same site')
const target = { domain: DomainRef }

export const list = defineOperation({
  name: 'domain.list',
  summary: 'List domains',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /domains',
  positional: [],
  columns: ['fqdn', 'status', 'tenantName', 'php', 'aliases'],
  input: z.strictObject({
    tenant: TenantRef.optional().describe('Domains of this tenant only'),
    status: DomainStatus.optional().describe('Domains in this status only'),
    ...searchInput,
    ...deletedInput,
    ...listInput,
  }),
  output: pageOf(Domain),
  async run(context, { tenant, ...query }) {
    const named = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.domains.list({ ...query, scope: scopeOf(context.actor), tenantId: named })
  },
})

export const get = defineOperation({
  name: 'domain.get',
  summary: 'Show a domain',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /domains/{domain}',
  positional: ['domain'],
  input: z.strictObject(target),
  output: Domain,
  async run({ domains, actor }, input) {
    const scope = scopeOf(actor)
    return (await domains.find(input.domain, { scope })) ?? domains.get(input.domain, { scope, deleted: true })
  },
})

export const create = defineOperation({
  name: 'domain.create',
  summary: 'Create a domain and its site',
  description:
    'Sending it again after a failure makes the same domain anew. Without php the site gets the version of the setting sites.default_php, or the newest that is installed.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains',
  positional: ['tenant', 'fqdn'],
  input: z.strictObject({
    tenant: TenantRef,
    fqdn: DomainName.describe('Name of the site, such as shop.example.com'),
    aliases: aliases.default([]),
    php: PhpChoice.optional(),
  }),
  output: Accepted,
  async run(context, { tenant: ref, fqdn, aliases, php }) {
    const tenant = await visibleTenant(context, ref)
    if (!tenantTakesDomains.includes(tenant.status))
      conflict(
        `create domain "${fqdn}"`,
        `tenant "${tenant.name}" is ${tenant.status}`,
        'Bring the tenant in order first.',
      )
    return addDomain(context, tenant, { fqdn, aliases, php })
  },
})

const tenantTakesDomains: readonly string[] = ['pending', 'active', 'deploying', 'suspended', 'locked']

export const update = defineOperation({
  name: 'domain.update',
  summary: 'Change the aliases or the PHP version of a domain',
  description: 'Aliases that are given replace all that were there.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'PATCH /domains/{domain}',
  positional: ['domain'],
  input: z.strictObject({ ...target, aliases: aliases.optional(), php: PhpChoice.optional() }),
  output: Accepted,
  async run(context, input) {
    const domain = await ready(context, input.domain, 'update')
    const what = `update domain "${domain.fqdn}"`
    const aliases = input.aliases ?? domain.aliases
    const php = input.php === undefined ? domain.php : await choosePhp(context, what, input.php)
    const { id, tenantId, fqdn } = domain
    if (input.aliases !== undefined) await claimNames(context, what, { tenantId, domainId: id, fqdn, aliases })
    const jobId = await context.enqueue(domainUpdate, { tenant: tenantId, domain: id, aliases, php })
    await context.domains.update(id, { aliases, php })
    return { id, jobId }
  },
})

export const suspend = defineOperation({
  name: 'domain.suspend',
  summary: 'Suspend a domain: its visitors see a notice',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/suspend',
  positional: ['domain'],
  confirm: 'Suspend this domain? Its visitors see a notice until it is unsuspended.',
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id, tenantId } = await ready(context, input.domain, 'suspend')
    return { id, jobId: await context.enqueue(domainSuspend, { tenant: tenantId, domain: id }) }
  },
})

export const unsuspend = defineOperation({
  name: 'domain.unsuspend',
  summary: 'Serve a suspended domain again',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/unsuspend',
  positional: ['domain'],
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id, tenantId } = await ready(context, input.domain, 'unsuspend')
    return { id, jobId: await context.enqueue(domainUnsuspend, { tenant: tenantId, domain: id }) }
  },
})

export const remove = defineOperation({
  name: 'domain.delete',
  summary: 'Move a domain and the files of its site to the trash',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  stepUp: true,
  http: 'DELETE /domains/{domain}',
  positional: ['domain'],
  confirm: 'Move this domain and the files of its site to the trash? It can be restored within 30 days.',
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const { id, tenantId } = await ready(context, input.domain, 'delete')
    return { id, jobId: await context.enqueue(domainDelete, { tenant: tenantId, domain: id }) }
  },
})

export const restore = defineOperation({
  name: 'domain.restore',
  summary: 'Bring a domain back from the trash',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/restore',
  positional: ['domain'],
  input: z.strictObject(target),
  output: Accepted,
  async run(context, input) {
    const domain = await ready(context, input.domain, 'restore')
    const { id, tenantId, fqdn, aliases } = domain
    await claimNames(context, `restore domain "${fqdn}"`, { tenantId, domainId: id, fqdn, aliases })
    await refuseOverLimit(context, `restore domain "${fqdn}"`, await context.tenants.get(tenantId))
    const jobId = await context.enqueue(domainRestore, { tenant: tenantId, domain: id })
    await context.domains.reclaimNames([id])
    return { id, jobId }
  },
})

/** The domain, if the actor may see it, its status allows the verb, and its tenant is not on the way into the trash. */
async function ready(context: Context, ref: string, verb: Verb): Promise<Domain> {
  const deleted = verb === 'restore'
  const domain = await context.domains.get(ref, { scope: scopeOf(context.actor), deleted })
  await mayChange(context, { kind: 'domain', row: domain, name: domain.fqdn, verb })
  const tenant = await context.tenants.find(domain.tenantId)
  if (tenant === undefined || tenantIsLeaving.includes(tenant.status))
    conflict(
      `${verb} domain "${domain.fqdn}"`,
      `tenant "${domain.tenantName}" is ${tenant?.status ?? 'in the trash'}`,
      'What belongs to a tenant goes and comes back with it: restore the tenant.',
    )
  return domain
}

const tenantIsLeaving: readonly string[] = ['deleting', 'deleted', 'purging', 'restoring']
