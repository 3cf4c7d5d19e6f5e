/** A database on the machine: itself, and the one user of it. What is in it is the tenant's own. */
import { z } from 'zod'
import {
  Collation,
  DatabaseEngine,
  DatabaseName,
  isVerifierOf,
  PasswordVerifier,
  unfitFor,
} from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import type { Id } from '../../../contract/values.ts'
import type { Registry } from '../../jobs/registry.ts'
import type { Machine } from '../../os/machine.ts'
import { database } from '../../steps/database.ts'
import { type Dumped, purgedDatabase } from '../../steps/database-dump.ts'
import { absentDatabaseUser, databaseUser } from '../../steps/database-user.ts'
import { purgedTree } from '../../steps/purged-tree.ts'
import type { Step } from '../../steps/step.ts'
import type { Tenant } from '../judge.ts'
import { type Guest, guestKind, guestsOf, guestUser } from './guests.ts'

const states = ['making', 'active', 'trashed', 'purging'] as const
export type State = (typeof states)[number]

const Kept = z.strictObject({
  engine: DatabaseEngine,
  name: DatabaseName,
  collation: Collation,
  verifier: PasswordVerifier,
  state: z.enum(states),
})
export type Kept = z.output<typeof Kept>
/** @property users beside the one of its name; none in a target that an older version journaled */
export type Database = Kept & { readonly id: Id; readonly users?: readonly Guest[] }

export const kind = 'database'

/** The tenant's database, in one of the states that the job is for; somebody else's is told like one that does not exist. */
export function databaseIn(registry: Registry, tenant: Id, id: Id, fitting: readonly State[]): Database {
  const found = findDatabase(registry, tenant, id)
  if (found === undefined)
    throw new WcpError('not_found', `Cannot find database "${id}" of tenant "${tenant}" on this machine`)
  if (fitting.includes(found.state)) return found
  throw new WcpError('conflict', `Cannot do this to database "${found.name}": it is ${words[found.state]}`)
}

const words: Readonly<Record<State, string>> = {
  making: 'being made',
  active: 'active',
  trashed: 'deleted',
  purging: 'being purged',
}

export function findDatabase(registry: Registry, tenant: Id, id: Id): Database | undefined {
  const thing = registry.thing(id)
  if (thing === undefined) return undefined
  if (thing.tenant !== tenant || thing.kind !== kind)
    throw new WcpError('not_found', `Cannot find database "${id}" of tenant "${tenant}" on this machine`)
  const users = guestsOf(registry, tenant).filter(({ database: of }) => of === id)
  return { id, ...Kept.parse(thing.record), users }
}

export function databasesOf(registry: Registry, tenant: Id): readonly Database[] {
  const guests = Map.groupBy(guestsOf(registry, tenant), ({ database: of }) => of)
  return registry.thingsOf(tenant, kind).map(({ id, record }) => {
    return { id, ...Kept.parse(record), users: guests.get(id) ?? [] }
  })
}

/** Those that are not in the trash on their own. */
export function livingDatabasesOf(registry: Registry, tenant: Id): readonly Database[] {
  return databasesOf(registry, tenant).filter(({ state }) => state === 'active')
}

export function putDatabase(registry: Registry, tenant: Id, { id, users: _, ...record }: Database): void {
  registry.putThing({ id, kind, tenant, name: record.name, record })
}

/** The server can have it as it is wanted, and the verifier is one of the server's own kind. */
export function mustFit(one: Pick<Database, 'engine' | 'name' | 'collation' | 'verifier'>): void {
  const kind = { field: 'verifier', problem: `is not one of ${one.engine}` }
  const unfit = unfitFor(one) ?? (isVerifierOf(one.engine, one.verifier) ? undefined : kind)
  if (unfit === undefined) return
  throw new WcpError('bad_input', `Cannot have database "${one.name}": ${unfit.field} ${unfit.problem}`, {
    fields: [unfit],
  })
}

/** Nobody on this machine has the name, whether we know of it or not. */
export async function mustBeFree(
  { registry, machine }: { readonly registry: Registry; readonly machine: Machine },
  { id, engine, name }: Pick<Database, 'id' | 'engine' | 'name'>,
): Promise<void> {
  const others = registry.thingsNamed(kind, name).filter((one) => one.id !== id)
  const isOurs = others.some(({ record }) => Kept.parse(record).state !== 'trashed')
  const isGuests = registry.thingsNamed(guestKind, name).some((one) => one.id !== id)
  if (!isOurs && !isGuests && !reserved.has(name) && !(await machine.databases[engine].knows(name))) return
  throw new WcpError('conflict', `Cannot use the name "${name}": a database or user of the server has it`, {
    help: 'Choose another name for the database.',
  })
}

/** Of the servers' own databases and users, where none of them is there yet. */
const reserved: ReadonlySet<string> = new Set([
  ...['information_schema', 'mysql', 'performance_schema', 'sys', 'test'],
  ...['root', 'mariadb.sys', 'public', 'none'],
  ...['postgres', 'template0', 'template1', 'wcp360', 'wcp360_tenants'],
])

export function databaseFacts(one: Database, isOpen: boolean): readonly Step[] {
  return [database(one), ...usersOf(one, isOpen)]
}

/** The one of its name, and those beside it. */
function usersOf(one: Database, isOpen: boolean): readonly Step[] {
  const { engine, name, verifier } = one
  return [databaseUser({ engine, name, verifier, isOpen }), ...guestFacts(one, isOpen)]
}

export function guestFacts(one: Database, isOpen: boolean): readonly Step[] {
  return (one.users ?? []).map((guest) => databaseUser(guestUser(one, guest, isOpen)))
}

export function absentUsers(one: Database): readonly Step[] {
  const guests = (one.users ?? []).map((guest) => absentDatabaseUser(guestUser(one, guest, false)))
  return [...guests, absentDatabaseUser({ engine: one.engine, name: one.name })]
}

export function dumpedOf(
  { places }: Machine,
  { uid, gid }: Pick<Tenant, 'uid' | 'gid'>,
  { id, engine, collation, name, verifier }: Database,
): Dumped {
  const user = { name, verifier, isOpen: false }
  return { engine, collation, user, as: { uid, gid }, path: `${places.customers.trash}/${id}.${endings[engine]}` }
}

/** Of dumps: statements as text, and an archive of `pg_dump`. */
const endings: Readonly<Record<DatabaseEngine, string>> = { mariadb: 'sql', postgresql: 'dump' }

/** Nobody signs in to any of them. @param databases none in a target that an older version journaled */
export function closedDatabases(databases: readonly Database[] = []): readonly Step[] {
  return databases.flatMap((one) => usersOf(one, false))
}

export function openDatabases(databases: readonly Database[] = []): readonly Step[] {
  return databases.flatMap((one) => usersOf(one, true))
}

/** Of those in the trash there is the dump alone: their names may be others' by now. */
export function purgedDatabases(
  machine: Machine,
  tenant: Tenant,
  databases: readonly Database[] = [],
): readonly Step[] {
  return databases.flatMap((one) => {
    const dumped = dumpedOf(machine, tenant, one)
    const isOnServer = one.state === 'active'
    const gone = isOnServer ? [purgedDatabase(dumped), ...absentUsers(one)] : []
    return [...gone, purgedTree(dumped.path)]
  })
}
