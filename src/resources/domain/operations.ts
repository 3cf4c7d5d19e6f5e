/** Domains: the sites of a tenant under their names. */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { type Fqdn, HttpsPolicy, type Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { Accepted, AcceptedMaybe, Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import {
  closedIfHeld,
  type HeldThing,
  type HoldChange,
  suspend as hold,
  holdsShown,
  unsuspend as lift,
} from '../hold/hold.ts'
import { AcceptedHold, holdRule, liftRule, suspendInput, unsuspendInput } from '../hold/schema.ts'
import { deletedInput, listInput, pageOf, searchInput, sortInput } from '../listing.ts'
import { refuseOverAllowance } from '../package/allowance.ts'
import { conflict } from '../refusals.ts'
import { mayChange } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { isStaff, scopeOf, visibleTenant } from '../visibility.ts'
import { addDomain } from './add-domain.ts'
import { checkSite, SiteCheck } from './check-site.ts'
import { claimAgain, claimNames } from './claim.ts'
import { domainsOfTenant } from './domains-of-tenant.ts'
import {
  domainDelete,
  domainRepair,
  domainRestore,
  domainRun,
  domainSuspend,
  domainUnsuspend,
  domainUpdate,
  longestRunSeconds,
} from './jobs.ts'
import { choosePhp, PhpChoice } from './php-choice.ts'
import { refuseUnfitPhp } from './php-options.ts'
import { acceptProof, askProofs, recordsOf, tenantTakesDomains } from './proof.ts'
import { DomainRef, ready } from './ready.ts'
import { AcceptedOrAsked, Domain, DomainProof, type DomainSettings, DomainStatus, heldAliases } from './schema.ts'
import { refuseUnfit, settingsInput, withWish } from './settings.ts'
import type { NameWishes } from './store.ts'

export { logs, top } from './logs.ts'

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
  columns: ['fqdn', 'status', 'tenantName', 'tenantStatus', 'php', 'aliases'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Domains of this tenant only'),
      status: DomainStatus.optional().describe('Domains in this status only; with its tenant a domain is suspended'),
      search: searchInput.search.describe('Text that its name holds, or an alias begins with'),
      total: searchInput.total,
      ...sortInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(Domain),
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
  input: () => z.strictObject(target),
  output: () => Domain,
  async run(context, input) {
    const { domains, actor } = context
    const scope = scopeOf(actor)
    const domain =
      (await domains.find(input.domain, { scope })) ?? (await domains.get(input.domain, { scope, deleted: true }))
    const holds = await holdsShown(context, { kind: 'domain', id: domain.id })
    const own = `/srv/www/${domain.tenantName}/sites/${domain.fqdn}/public`
    return { ...domain, holds, directory: domain.documentRoot === null ? own : `${own}/${domain.documentRoot}` }
  },
})

export const proofs = defineOperation({
  name: 'domain.proofs',
  summary: 'List the TXT records that prove whose the names of a domain are',
  description:
    'Those that are asked and have not been seen yet, with the last looks at the DNS. A record proves its name and all below it.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /domains/{domain}/proofs',
  positional: ['domain'],
  columns: ['recordName', 'recordValue', 'answer', 'nextTryAt'],
  input: () => z.strictObject(target),
  output: () => z.strictObject({ items: z.array(DomainProof), nextCursor: z.null() }),
  async run(context, input) {
    const { id } = await context.domains.get(input.domain, { scope: scopeOf(context.actor) })
    const asked = await context.proofs.ofDomain(id)
    return {
      items: asked.map(({ name, record, tries, nextTryAt }) => ({
        name,
        recordName: record.name,
        recordValue: record.value,
        answer: tries[0]?.outcome ?? null,
        tries: [...tries],
        nextTryAt,
      })),
      nextCursor: null,
    }
  },
})

export const check = defineOperation({
  name: 'domain.check',
  summary: 'Look why a site does not answer, from the DNS to the disk',
  description:
    'Each step with what was seen and what to do. The web server of this machine is asked for the first page of the site.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] },
  http: 'GET /domains/{domain}/check',
  positional: ['domain'],
  columns: ['step', 'state', 'seen', 'remedy'],
  input: () => z.strictObject(target),
  output: () => z.strictObject({ items: z.array(SiteCheck), nextCursor: z.null() }),
  async run(context, input) {
    const domain = await context.domains.get(input.domain, { scope: scopeOf(context.actor) })
    return { items: await checkSite(context, domain), nextCursor: null }
  },
})

export const verify = defineOperation({
  name: 'domain.verify',
  summary: 'Look now whether the names of a domain are proven',
  description: 'The DNS is asked within seconds; "domain.proofs" then has the answer, unless the domain is on its way.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/verify',
  positional: ['domain'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { id } = await waiting(context, input.domain, 'look for the proof of')
    await context.proofs.lookSoon([id])
    return { id }
  },
})

export const vouch = defineOperation({
  name: 'domain.vouch',
  summary: 'Serve a domain without the proof that its names are the tenant’s',
  effect: 'machine',
  policy: { scopes: ['global'], isSensitive: true },
  http: 'POST /domains/{domain}/vouch',
  positional: ['domain'],
  confirm: 'Serve these names without a proof? Do it only if you know that they are this customer’s.',
  input: () => z.strictObject(target),
  output: () => AcceptedMaybe,
  async run(context, input) {
    const { id } = await waiting(context, input.domain, 'vouch for')
    const jobs: Id[] = []
    for (const proof of await context.proofs.ofDomain(id))
      jobs.push(...(await acceptProof(context, proof, { byStaff: true })))
    return { id, jobId: jobs[0] ?? null }
  },
})

/** The domain, if the actor may see it and some of its names wait for a proof. */
async function waiting(context: Context, ref: string, what: string): Promise<Domain> {
  const domain = await context.domains.get(ref, { scope: scopeOf(context.actor) })
  if (domain.unproven.length === 0)
    conflict(`${what} domain "${domain.fqdn}"`, 'none of its names waits for a proof', 'There is nothing to do.')
  return domain
}

export const create = defineOperation({
  name: 'domain.create',
  summary: 'Create a domain and its site',
  description:
    'A name that somebody else could own is served when the TXT record of the answer is in the DNS: until then there is no job, and the domain is "unverified". Sending it again after a failure makes the same domain anew. Without php the site gets the version of the setting sites.default_php, or the newest that is installed.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains',
  positional: ['tenant', 'fqdn'],
  input: () =>
    z.strictObject({
      tenant: TenantRef,
      fqdn: DomainName.describe('Name of the site, such as shop.example.com'),
      aliases: aliases.default([]),
      php: PhpChoice.optional(),
    }),
  output: () => AcceptedOrAsked,
  async run(context, { tenant: ref, fqdn, aliases, php }) {
    const tenant = await visibleTenant(context, ref)
    if (!tenantTakesDomains.includes(tenant.status)) {
      await context.jobs.refuseBusy('tenant', tenant.id)
      conflict(
        `create domain "${fqdn}"`,
        `tenant "${tenant.name}" is ${tenant.status}`,
        'Bring the tenant in order first.',
      )
    }
    return addDomain(context, tenant, { fqdn, aliases, php })
  },
})

export const update = defineOperation({
  name: 'domain.update',
  summary: 'Change the aliases, the PHP version or the settings of a domain',
  description:
    'What is not given stays. Aliases that are given replace all that were there. Those that must be proven first are added when the TXT records of the answer are in the DNS. The way over HTTP is in force once the domain has a certificate of its own; what browsers remember they keep until its time is over. What is so already needs no job.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'PATCH /domains/{domain}',
  positional: ['domain'],
  input: () =>
    z.strictObject({
      ...target,
      aliases: aliases.optional(),
      php: PhpChoice.optional(),
      https: HttpsPolicy.optional().describe(
        'optional: HTTP as HTTPS; redirect: to HTTPS; hsts-…: browsers remember it as well, for a day, a year, or with all names below',
      ),
      ...settingsInput(),
    }),
  output: () => AcceptedOrAsked,
  async run(context, input) {
    const domain = await ready(context, input.domain, 'update')
    const what = `update domain "${domain.fqdn}"`
    const php = input.php === undefined ? domain.php : await choosePhp(context, what, input.php)
    const { id, tenantId } = domain
    const before = await context.domains.settings(id)
    const settings = { https: input.https ?? before.https, site: withWish(before.site, input) }
    const job = { ...changed(before, settings), php }
    const isSame = php === domain.php && Object.keys(job).length === 1
    if (isSame && (input.aliases === undefined || hasJust(domain.aliases, input.aliases)))
      return { id, jobId: null, records: await recordsOf(context, id) }
    const names = input.aliases === undefined ? undefined : await wishedNames(context, what, domain, input.aliases)
    const aliases = heldAliases(names === undefined ? domain : { ...names, unproven: [...names.waiting.keys()] })
    refuseUnfit(what, settings.site, [domain.fqdn, ...aliases])
    await refuseUnfitPhp(context, what, tenantId, settings.site.php)
    const jobId = await context.enqueue(domainUpdate, { tenant: tenantId, domain: id, aliases, ...job }, (row) =>
      context.domains.update(row, { names, php, settings }),
    )
    return { id, jobId, records: await recordsOf(context, id) }
  },
})

/** What of the settings the machine is to be told. */
function changed(before: DomainSettings, { https, site }: DomainSettings) {
  return {
    ...(https !== before.https && { https }),
    ...(!isDeepStrictEqual(site, before.site) && { settings: site }),
  }
}

function hasJust(names: readonly Fqdn[], wished: readonly Fqdn[]): boolean {
  return [...new Set(names)].sort().join() === [...new Set(wished)].sort().join()
}

async function wishedNames(
  context: Context,
  what: string,
  { id: domainId, tenantId, fqdn }: Domain,
  aliases: readonly Fqdn[],
): Promise<NameWishes> {
  const claim = { tenantId, domainId, names: [fqdn, ...aliases], byStaff: isStaff(context.actor) }
  await context.tenants.lock(tenantId)
  await claimNames(context, what, claim)
  return { fqdn, aliases, waiting: await askProofs(context, what, claim) }
}

export const suspend = defineOperation({
  name: 'domain.suspend',
  summary: 'Suspend a domain: its visitors see a notice',
  description: holdRule,
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/suspend',
  positional: ['domain'],
  confirm: 'Suspend this site? Its visitors see a notice until it is unsuspended.',
  input: () => z.strictObject({ ...target, ...suspendInput }),
  output: () => AcceptedHold,
  async run(context, { domain: ref, ...why }) {
    const domain = await ready(context, ref, 'suspend')
    const { id, tenantId } = domain
    const close = (change: HoldChange) => context.enqueue(domainSuspend, { tenant: tenantId, domain: id }, change)
    return { id, ...(await hold(context, held(domain), why, close)) }
  },
})

export const unsuspend = defineOperation({
  name: 'domain.unsuspend',
  summary: 'Lift a hold on a domain: with the last one it is served again',
  description: liftRule,
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/unsuspend',
  positional: ['domain'],
  input: () => z.strictObject({ ...target, ...unsuspendInput }),
  output: () => AcceptedHold,
  async run(context, { domain: ref, reason }) {
    const domain = await ready(context, ref, 'unsuspend')
    const { id, tenantId } = domain
    const open = (change: HoldChange) => context.enqueue(domainUnsuspend, { tenant: tenantId, domain: id }, change)
    return { id, ...(await lift(context, held(domain), reason, open)) }
  },
})

export const repair = defineOperation({
  name: 'domain.repair',
  summary: 'Put back what on the machine differs from what the panel wants of a domain',
  description:
    'A plan shows what differs and what it would be made. It is the job that creation is, with what holds already left alone; files of the site itself are not touched.',
  effect: 'machine',
  policy: { scopes: ['global'] },
  http: 'POST /domains/{domain}/repair',
  positional: ['domain'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, input) {
    const { id, tenantId } = await ready(context, input.domain, 'repair')
    return { id: id, jobId: await context.enqueue(domainRepair, { tenant: tenantId, domain: id }) }
  },
})

export const remove = defineOperation({
  name: 'domain.delete',
  summary: 'Move a domain and the files of its site to the trash',
  description: 'One that waits for a proof was never on the machine, and is gone at once.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  stepUp: true,
  http: 'DELETE /domains/{domain}',
  positional: ['domain'],
  confirm: 'Move this site with its names and files to the trash? It can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => AcceptedMaybe,
  async run(context, input) {
    const { id, tenantId, status } = await ready(context, input.domain, 'delete')
    if (status === 'unverified') {
      await context.domains.remove(id)
      return { id, jobId: null }
    }
    return { id, jobId: await context.enqueue(domainDelete, { tenant: tenantId, domain: id }) }
  },
})

export const restore = defineOperation({
  name: 'domain.restore',
  summary: 'Bring a domain back from the trash',
  description: 'As it was: what was suspended comes back suspended.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/restore',
  positional: ['domain'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, input) {
    const domain = await ready(context, input.domain, 'restore')
    const { id, tenantId, fqdn } = domain
    const names = [fqdn, ...heldAliases(domain)]
    const claim = { tenantId, domainId: id, names, byStaff: isStaff(context.actor) }
    await claimAgain(context, `restore domain "${fqdn}"`, claim)
    await refuseOverAllowance(context, `restore domain "${fqdn}"`, await context.tenants.get(tenantId), domainsOfTenant)
    const closed = await closedIfHeld(context, { kind: 'domain', id })
    const jobId = await context.enqueue(domainRestore, { tenant: tenantId, domain: id, ...closed })
    await context.domains.reclaimNames([id])
    await context.proofs.lookSoon([id])
    return { id, jobId }
  },
})

function held({ id, fqdn, tenantId, status }: Domain): HeldThing {
  return { kind: 'domain', id, name: fqdn, tenantId, isClosed: status === 'suspended' }
}

export const run = defineOperation({
  name: 'domain.run',
  summary: 'Run a command as the tenant in the directory of a domain',
  description:
    'A program and its arguments, without a shell: name one to have one. It runs in the sandbox of the site’s PHP, within the limits of the tenant; "php" is the site’s version. Its words are written into the audit trail. "job.output" has what it prints.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /domains/{domain}/run',
  positional: ['domain', 'command'],
  input: () =>
    z.strictObject({
      ...target,
      command: TenantCommand.describe('Program and arguments, each a word of its own'),
      seconds: z
        .int({ error: `1 to ${longestRunSeconds}` })
        .min(1, { error: `1 to ${longestRunSeconds}` })
        .max(longestRunSeconds, { error: `1 to ${longestRunSeconds}` })
        .default(600)
        .describe('After so long it is ended'),
    }),
  output: () => Accepted,
  async run(context, { domain: ref, command, seconds }) {
    const domain = await context.domains.get(ref, { scope: scopeOf(context.actor) })
    await mayChange(context, { kind: 'domain', row: domain, name: domain.fqdn, verb: 'run' })
    const payload = { tenant: domain.tenantId, domain: domain.id, run: context.newId(), command, seconds }
    return { id: domain.id, jobId: await context.enqueue(domainRun, payload) }
  },
})
