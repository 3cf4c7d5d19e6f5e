/** Databases of tenants, each with one user of its own name. */
import { z } from 'zod'
import { Collation, collationsOf, DatabaseEngine, DatabaseName, unfitFor } from '../../contract/database.ts'
import { Id } from '../../contract/values.ts'
import { newDatabasePassword, verifierOf } from '../../lib/database-password.ts'
import { Accepted } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, listInput, pageOf, searchInput, sortInput } from '../listing.ts'
import { refuseOverAllowance } from '../package/allowance.ts'
import { demandFeature } from '../package/features.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import { mayChange, type Verb } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { databasesOfTenant } from './databases-of-tenant.ts'
import { databaseCreate, databaseDelete, databaseRestore, databaseUpdate } from './jobs.ts'
import { Database, DatabaseRef } from './schema.ts'

const target = { database: DatabaseRef }
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const
/** The one answer that has the password: afterwards nobody knows it but who was given it. */
const WithPassword = z.strictObject({ id: Id, jobId: Id, password: z.string() })

export const list = defineOperation({
  name: 'database.list',
  summary: 'List databases',
  effect: 'read',
  policy,
  http: 'GET /databases',
  positional: [],
  columns: ['name', 'status', 'tenantName', 'engine', 'collation', 'usedMb'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Databases of this tenant only'),
      ...searchInput,
      ...sortInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(Database),
  async run(context, { tenant, ...query }) {
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.databases.list({ ...query, tenantId, scope: scopeOf(context.actor) })
  },
})

export const get = defineOperation({
  name: 'database.get',
  summary: 'Show a database',
  effect: 'read',
  policy,
  http: 'GET /databases/{database}',
  positional: ['database'],
  input: () => z.strictObject(target),
  output: () => Database,
  async run({ databases, actor }, { database }) {
    const scope = scopeOf(actor)
    return (await databases.find(database, { scope })) ?? (await databases.get(database, { scope, deleted: true }))
  },
})

export const create = defineOperation({
  name: 'database.create',
  summary: 'Create a database and a user of the same name, whose password is shown once',
  description:
    'The user signs in over the server’s unix socket and has all rights in this database alone. Sending it again after a failure makes the same database anew, with another password.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  answersOnce: true,
  stepUp: true,
  http: 'POST /databases',
  positional: ['tenant', 'name'],
  input: () =>
    z.strictObject({
      tenant: TenantRef,
      name: DatabaseName.describe('Name of the database and of its user; nobody else on the server has it'),
      engine: DatabaseEngine.default('mariadb').describe('The database server that it is made on'),
      collation: Collation.optional().describe(
        'How text is kept and compared unless a table says otherwise; utf8mb4_unicode_ci, or C.UTF-8 on PostgreSQL',
      ),
    }),
  output: () => WithPassword,
  async run(context, { tenant: ref, name, engine, collation = collationsOf[engine][0] }) {
    const what = `create database "${name}"`
    const unfit = unfitFor({ engine, name, collation })
    if (unfit !== undefined) badInput(what, unfit)
    const tenant = await visibleTenant(context, ref)
    await context.tenants.lock(tenant.id)
    await context.jobs.refuseBusy('tenant', tenant.id)
    if (!['active', 'suspended', 'locked'].includes(tenant.status))
      conflict(what, `tenant "${tenant.name}" is ${tenant.status}`, 'Bring the tenant in order first.')
    const known = await context.databases.bearing(name)
    const isFailed = known?.status === 'error' && known.tenantId === tenant.id
    const isUser = (await context.databaseUsers.bearing(name)) !== undefined
    if (isUser || (known !== undefined && !isFailed)) taken(what, 'name', name, 'a name that no other database has')
    await demandFeature(context, what, tenant, 'databases')
    if (!isFailed) await refuseOverAllowance(context, what, tenant, databasesOfTenant)
    const id = known?.id ?? context.newId()
    if (known === undefined) await context.databases.insert({ id, tenantId: tenant.id, name, engine, collation })
    const password = newDatabasePassword()
    const payload = { tenant: tenant.id, database: id, engine, name, collation, verifier: verifierOf(engine, password) }
    const jobId = await context.enqueue(databaseCreate, payload, (row) =>
      context.databases.setWanted(row, { engine, collation }),
    )
    return { id, jobId, password }
  },
})

export const rotate = defineOperation({
  name: 'database.rotate-password',
  summary: 'Give the user of a database another password, which is shown once',
  description: 'Connections that stand go on; the former password opens none from the end of the job on.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  answersOnce: true,
  stepUp: true,
  http: 'POST /databases/{database}/rotate-password',
  positional: ['database'],
  confirm: 'Give this database another password? Whatever uses the present one cannot sign in from then on.',
  input: () => z.strictObject(target),
  output: () => WithPassword,
  async run(context, { database: ref }) {
    const { id, engine, tenantId: tenant } = await ready(context, ref, 'update')
    const password = newDatabasePassword()
    const payload = { tenant, database: id, verifier: verifierOf(engine, password) }
    return { id, jobId: await context.enqueue(databaseUpdate, payload), password }
  },
})

export const remove = defineOperation({
  name: 'database.delete',
  summary: 'Move a database to the trash, as a dump: nobody signs in to it any more',
  effect: 'machine',
  policy,
  stepUp: true,
  http: 'DELETE /databases/{database}',
  positional: ['database'],
  confirm: 'Move this database to the trash? It can be restored within 30 days, with its user and password.',
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, { database: ref }) {
    const { id, tenantId: tenant } = await ready(context, ref, 'delete')
    return { id, jobId: await context.enqueue(databaseDelete, { tenant, database: id }) }
  },
})

export const restore = defineOperation({
  name: 'database.restore',
  summary: 'Bring a database back from the trash, with its user and password',
  effect: 'machine',
  policy,
  http: 'POST /databases/{database}/restore',
  positional: ['database'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, { database: ref }) {
    const { id, name, tenantId: tenant } = await ready(context, ref, 'restore')
    const what = `restore database "${name}"`
    const other = await context.databases.bearing(name)
    const isUser = (await context.databaseUsers.bearing(name)) !== undefined
    if (isUser || (other !== undefined && other.id !== id))
      taken(what, 'name', name, 'delete the database or the database user that has the name now')
    const owner = await context.tenants.get(tenant)
    await demandFeature(context, what, owner, 'databases')
    await refuseOverAllowance(context, what, owner, databasesOfTenant)
    const jobId = await context.enqueue(databaseRestore, { tenant, database: id }, context.databases.takeOut)
    return { id, jobId }
  },
})

/** The database, if the actor may see it, its status allows the verb, and its tenant is not on the way into the trash. */
async function ready(context: Context, ref: string, verb: Verb): Promise<Database> {
  const database = await context.databases.get(ref, { scope: scopeOf(context.actor), deleted: verb === 'restore' })
  await mayChange(context, { kind: 'database', row: database, name: database.name, verb })
  const tenant = await context.tenants.find(database.tenantId)
  if (tenant === undefined || ['deleting', 'deleted', 'purging', 'restoring'].includes(tenant.status))
    conflict(
      `${verb} database "${database.name}"`,
      `tenant "${database.tenantName}" is ${tenant?.status ?? 'in the trash'}`,
      'What belongs to a tenant goes and comes back with it: restore the tenant.',
    )
  return database
}
