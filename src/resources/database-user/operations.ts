/** Users of a database beside the one of its name, who may do less in it. */
import { z } from 'zod'
import { DatabaseAccess, DatabaseName } from '../../contract/database.ts'
import { Id } from '../../contract/values.ts'
import { newDatabasePassword, verifierOf } from '../../lib/database-password.ts'
import { Accepted } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { DatabaseRef } from '../database/schema.ts'
import { listInput, pageOf, searchInput } from '../listing.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import { mayChange } from '../status-guard.ts'
import { scopeOf } from '../visibility.ts'
import { databaseUserCreate, databaseUserDelete, databaseUserUpdate, hasUsers, mostOfDatabase } from './jobs.ts'
import { DatabaseUser } from './store.ts'

const target = { databaseUser: Id.describe('Id of the database user') }
/** The one answer that has the password: afterwards nobody knows it but who was given it. */
const WithPassword = z.strictObject({ id: Id, jobId: Id, password: z.string() })
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const list = defineOperation({
  name: 'database-user.list',
  summary: 'List users that databases have beside those of their own names',
  effect: 'read',
  policy,
  http: 'GET /database-users',
  positional: [],
  columns: ['id', 'name', 'databaseName', 'access', 'status'],
  input: () =>
    z.strictObject({
      database: DatabaseRef.optional().describe('Users of this database only'),
      ...searchInput,
      ...listInput,
    }),
  output: () => pageOf(DatabaseUser),
  async run({ databases, databaseUsers, actor }, { database, ...query }) {
    const scope = scopeOf(actor)
    const databaseId = database === undefined ? undefined : (await databases.get(database, { scope })).id
    return databaseUsers.list({ ...query, databaseId, scope })
  },
})

export const get = defineOperation({
  name: 'database-user.get',
  summary: 'Show a user of a database',
  effect: 'read',
  policy,
  http: 'GET /database-users/{databaseUser}',
  positional: ['databaseUser'],
  input: () => z.strictObject(target),
  output: () => DatabaseUser,
  run: ({ databaseUsers, actor }, { databaseUser }) => databaseUsers.get(databaseUser, scopeOf(actor)),
})

export const create = defineOperation({
  name: 'database-user.create',
  summary: 'Give a database another user, whose password is shown once',
  description:
    'On MariaDB. The user signs in as the database’s own does, and sees nothing but this database. Sending it again after a failure makes the same user anew, with another password.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  answersOnce: true,
  stepUp: true,
  http: 'POST /database-users',
  positional: ['database', 'name'],
  input: () =>
    z.strictObject({
      database: DatabaseRef,
      name: DatabaseName.describe('Name of the user; no database and no other user on the server has it'),
      access: DatabaseAccess.default('read').describe(
        'read; write: change rows as well and call routines; all: change tables as well, while views, routines and triggers are the database’s own user’s',
      ),
    }),
  output: () => WithPassword,
  async run(context, { database: ref, name, access }) {
    const what = `create database user "${name}"`
    const { databases, databaseUsers, tenants, jobs, actor } = context
    const database = await databases.get(ref, { scope: scopeOf(actor) })
    const { id: databaseId, tenantId: tenant, engine } = database
    await tenants.lock(tenant)
    await jobs.refuseBusy('tenant', tenant)
    if (!['pending', 'active', 'deploying'].includes(database.status))
      conflict(what, `database "${database.name}" is ${database.status}`, 'Bring the database in order first.')
    if (!hasUsers(engine))
      badInput(what, { field: 'database', problem: `is on ${engine}`, accepted: 'a database on MariaDB' })
    const ofDatabase = await databases.bearing(name) // and holds the name
    const known = await databaseUsers.bearing(name)
    const isFailed = known?.status === 'error' && known.databaseId === databaseId && known.access === access
    if (ofDatabase !== undefined || (known !== undefined && !isFailed))
      taken(what, 'name', name, 'a name that no database and no other user has')
    if (!isFailed && (await databaseUsers.countOf(databaseId)) >= mostOfDatabase)
      conflict(what, `database "${database.name}" has ${mostOfDatabase}`, 'Delete one that is not used any more.')
    const id = known?.id ?? context.newId()
    if (known === undefined) await databaseUsers.insert({ id, tenantId: tenant, databaseId, name, access })
    const password = newDatabasePassword()
    const verifier = verifierOf(engine, password)
    const payload = { tenant, 'database-user': id, database: databaseId, name, access, verifier }
    return { id, jobId: await context.enqueue(databaseUserCreate, payload), password }
  },
})

export const rotate = defineOperation({
  name: 'database-user.rotate-password',
  summary: 'Give a user of a database another password, which is shown once',
  description: 'Connections that stand go on; the former password opens none from the end of the job on.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  answersOnce: true,
  stepUp: true,
  http: 'POST /database-users/{databaseUser}/rotate-password',
  positional: ['databaseUser'],
  confirm: 'Give this user another password? Whatever uses the present one cannot sign in from then on.',
  input: () => z.strictObject(target),
  output: () => WithPassword,
  async run(context, { databaseUser }) {
    const one = await context.databaseUsers.get(databaseUser, scopeOf(context.actor))
    await mayChange(context, { kind: 'database-user', row: one, name: one.name, verb: 'update' })
    const password = newDatabasePassword()
    const { engine } = await context.databases.get(one.databaseId)
    const payload = { tenant: one.tenantId, 'database-user': one.id, verifier: verifierOf(engine, password) }
    return { id: one.id, jobId: await context.enqueue(databaseUserUpdate, payload), password }
  },
})

export const remove = defineOperation({
  name: 'database-user.delete',
  summary: 'Take a user of a database away: nobody signs in as it any more',
  effect: 'machine',
  policy,
  stepUp: true,
  http: 'DELETE /database-users/{databaseUser}',
  positional: ['databaseUser'],
  confirm: 'Take this user away? Whatever signs in as it loses its connections. What it has written stays.',
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, { databaseUser }) {
    const one = await context.databaseUsers.get(databaseUser, scopeOf(context.actor))
    await mayChange(context, { kind: 'database-user', row: one, name: one.name, verb: 'delete' })
    const payload = { tenant: one.tenantId, 'database-user': one.id }
    return { id: one.id, jobId: await context.enqueue(databaseUserDelete, payload) }
  },
})
