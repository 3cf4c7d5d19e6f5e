/** Applications in the document roots of domains. */
import { z } from 'zod'
import { collationsOf, DatabaseName } from '../../contract/database.ts'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { EmailAddress } from '../../lib/email-address.ts'
import { Accepted, AcceptedMaybe, Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { databasesOfTenant } from '../database/databases-of-tenant.ts'
import type { Domain } from '../domain/schema.ts'
import { listInput, pageOf, searchInput } from '../listing.ts'
import { refuseOverAllowance } from '../package/allowance.ts'
import { conflict } from '../refusals.ts'
import { mayChange } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { AppTitle, AppUser, appInstall, appLoginLink, appResetLink } from './jobs.ts'
import { App, Application, AppRef } from './schema.ts'
import type { AppWishes } from './store.ts'

const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain in whose document root it is, by id or name')
const target = { app: AppRef }
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const list = defineOperation({
  name: 'app.list',
  summary: 'List applications',
  effect: 'read',
  policy,
  http: 'GET /apps',
  positional: [],
  columns: ['fqdn', 'application', 'title', 'status', 'databaseName'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Applications of this tenant only'),
      domain: DomainRef.optional().describe('The application of this domain only'),
      search: searchInput.search.describe('Text that the name of its domain holds'),
      total: searchInput.total,
      ...listInput,
    }),
  output: () => pageOf(App),
  async run(context, { tenant, domain, ...query }) {
    const scope = scopeOf(context.actor)
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    const domainId = domain === undefined ? undefined : (await context.domains.get(domain, { scope })).id
    return context.apps.list({ ...query, tenantId, domainId, scope })
  },
})

export const get = defineOperation({
  name: 'app.get',
  summary: 'Show an application',
  effect: 'read',
  policy,
  http: 'GET /apps/{app}',
  positional: ['app'],
  input: () => z.strictObject(target),
  output: () => App,
  run: ({ apps, actor }, { app }) => apps.get(app, scopeOf(actor)),
})

export const install = defineOperation({
  name: 'app.install',
  summary: 'Install WordPress in the document root of a domain, with a database of its own',
  description:
    'All of it or nothing: what fails is taken back. The document root must be empty, or hold the first page of a new site alone. The server has WP-CLI and a release of WordPress from its administrator ("./install.sh --wp-cli FILE --wordpress FILE"). Nobody is told a password: "app.reset-link" makes a link by which the administrator of the site chooses one. Sending it again after a failure installs anew, and after a success changes nothing.',
  effect: 'machine',
  policy,
  http: 'POST /apps',
  positional: ['application', 'domain'],
  input: () =>
    z.strictObject({
      application: Application.describe('What is installed'),
      domain: DomainRef,
      title: AppTitle.describe('Title of the site'),
      adminUser: AppUser.describe('Name of its first user, who may do everything in it'),
      adminEmail: EmailAddress.describe('E-mail address of that user'),
    }),
  output: () => AcceptedMaybe,
  async run(context, { domain: ref, ...wishes }) {
    const domain = await context.domains.get(ref, { scope: scopeOf(context.actor) })
    const what = `install ${wishes.application} in "${domain.fqdn}"`
    await mustServePhp(context, what, domain)
    const known = await context.apps.ofDomain(domain.id)
    if (known !== undefined && known.status !== 'error') {
      await context.jobs.refuseBusy('app', known.id)
      if (isSame(known, wishes)) return { id: known.id, jobId: null }
      conflict(
        what,
        `${known.application} is there, installed as "${known.title}" for ${known.adminUser}`,
        'Change it in the application itself; "app forget" takes it off the list.',
      )
    }
    const id = known?.id ?? context.newId()
    const { id: domainId, tenantId } = domain
    const database = await newDatabase(context, what, tenantId)
    if (known === undefined) await context.apps.insert({ id, tenantId, domainId, ...wishes })
    else await context.apps.setWishes(id, wishes)
    await context.apps.setDatabase(id, database.id)
    const { title, adminUser, adminEmail } = wishes
    const about = { tenant: tenantId, app: id, domain: domainId, run: context.newId() }
    const own = { database: database.id, name: database.name }
    return { id, jobId: await context.enqueue(appInstall, { ...about, ...own, title, adminUser, adminEmail }) }
  },
})

const link = {
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  stepUp: true,
  positional: ['app'],
  input: () =>
    z.strictObject({
      ...target,
      user: AppUser.optional().describe('Name of a user of the application; its first one unless told'),
    }),
  output: () => Accepted,
} as const

export const loginLink = defineOperation({
  ...link,
  name: 'app.login-link',
  summary: 'Make a link that signs in to an application',
  description:
    'It is good once, and for five minutes; plugins that ask for a second factor still do. A must-use plugin, wcp360-login.php, takes it, and does nothing else. The job prints the link, and "job.output" has it for those who may see the job.',
  http: 'POST /apps/{app}/login-link',
  run: (context, wish) => makeLink(context, appLoginLink, wish),
})

export const resetLink = defineOperation({
  ...link,
  name: 'app.reset-link',
  summary: 'Make a link by which a user of an application chooses a password',
  description:
    'WordPress makes it: it is good once, and for a day. The job prints it, and "job.output" has it for those who may see the job.',
  http: 'POST /apps/{app}/reset-link',
  run: (context, wish) => makeLink(context, appResetLink, wish),
})

export const forget = defineOperation({
  name: 'app.forget',
  summary: 'Take an application off the list: its files and its database stay as they are',
  effect: 'write',
  policy,
  http: 'DELETE /apps/{app}',
  positional: ['app'],
  confirm: 'Take this application off the list? Its files and its database stay as they are.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, { app: ref }) {
    const app = await context.apps.get(ref, scopeOf(context.actor))
    await mayChange(context, { kind: 'app', row: app, name: app.fqdn, verb: 'delete' })
    await context.apps.forget(app.id)
    return { id: app.id }
  },
})

async function makeLink(
  context: Context,
  job: typeof appLoginLink | typeof appResetLink,
  { app: ref, user }: { app: string; user?: string | undefined },
): Promise<z.output<typeof Accepted>> {
  const app = await context.apps.get(ref, scopeOf(context.actor))
  await mayChange(context, { kind: 'app', row: app, name: app.fqdn, verb: 'run' })
  const domain = await context.domains.get(app.domainId)
  await mayChange(context, { kind: 'domain', row: domain, name: domain.fqdn, verb: 'run' })
  const about = { tenant: app.tenantId, app: app.id, domain: app.domainId, run: context.newId() }
  return { id: app.id, jobId: await context.enqueue(job, { ...about, user: user ?? app.adminUser }) }
}

async function mustServePhp(context: Context, what: string, { tenantId, fqdn, status, php }: Domain): Promise<void> {
  await context.tenants.lock(tenantId)
  await context.jobs.refuseBusy('tenant', tenantId)
  const tenant = await context.tenants.get(tenantId)
  if (!['active', 'locked'].includes(tenant.status))
    conflict(what, `tenant "${tenant.name}" is ${tenant.status}`, 'Bring the tenant in order first.')
  if (status !== 'active') conflict(what, `domain "${fqdn}" is ${status}`, 'Bring the domain in order first.')
  if (php === null) conflict(what, 'the domain has no PHP', 'Give it a PHP version first: "domain update --php".')
}

async function newDatabase(context: Context, what: string, tenantId: Id): Promise<{ id: Id; name: DatabaseName }> {
  await refuseOverAllowance(context, what, await context.tenants.get(tenantId), databasesOfTenant)
  const id = context.newId()
  const name = DatabaseName.parse(`wp_${id.replaceAll('-', '').slice(0, 12)}`)
  const [collation] = collationsOf.mariadb
  await context.databases.insert({ id, tenantId, name, engine: 'mariadb', collation })
  return { id, name }
}

function isSame(known: AppWishes, wishes: AppWishes): boolean {
  return (['application', 'title', 'adminUser', 'adminEmail'] as const).every((key) => known[key] === wishes[key])
}
