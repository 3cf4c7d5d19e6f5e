/** PostgreSQL as the distribution installs it: asked over its unix socket as its own account, who needs no password there. */
import { basename, dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Collation, type DatabaseName, isVerifierOf, PasswordVerifier } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import { copyByTenant } from './copy.ts'
import {
  type Copying,
  type DatabaseServer,
  type DatabaseUser,
  type FoundDatabase,
  type FoundUser,
  mostConnections,
  type ServerStatus,
} from './database-server.ts'
import { mustKeepTenantsApart } from './pg-hba.ts'
import { mendedRights, tenants, userQuery } from './pg-rights.ts'
import { PostgresSessions } from './pg-session.ts'
import type { Session } from './session.ts'
import { localed, login, number, quoted, statement, value } from './statement.ts'

/** Who owns what, and what others may do, is the users' part, which is put anew when a database comes back. */
const common = ['--no-password', '--no-owner', '--no-privileges']
/** What a tenant has set for its own connections is no word to these programs. */
const options = '-c role=none -c default_transaction_read_only=off'

export function postgresql(socket: string): DatabaseServer {
  const sessions = new PostgresSessions(socket)
  const within = <T>(work: (session: Session) => Promise<T>) => sessions.within(work)
  const put = (wanted: DatabaseUser) => within((session) => putUser(session, wanted))
  const target = ({ user: { name } }: Copying) => [
    ...[`--host=${dirname(socket)}`, `--port=${basename(socket).replace('.s.PGSQL.', '')}`],
    ...[`--username=${name}`, `--dbname=${name}`],
  ]
  const env = (password: string) => ({ PGPASSWORD: password, PGPASSFILE: '/dev/null', PGOPTIONS: options })

  return {
    status: () => within(statusOf),
    knows: (name) => within((session) => isKnown(session, name)),
    database: (name) => within((session) => findDatabase(session, name)),
    createDatabase: (name, collation) => within((session) => createDatabase(session, name, collation)),
    dropDatabase: (name) => within((session) => dropDatabase(session, name)),
    user: (name) => within((session) => findUser(session, name)),
    putUser: put,
    dropUser: (name) => within((session) => dropUser(session, name)),
    size: (name) => within((session) => sizeOf(session, name)),
    async dump(copying) {
      const file = await within(async (session) => {
        await unbar(session, copying.user.name)
        return program(session, 'pg_dump')
      })
      const argv = ['--format=custom', '--no-subscriptions', ...common, ...target(copying)]
      await copyByTenant('postgresql', put, copying, { file, argv, stdio: ['ignore', copying.file], env })
    },
    /** Statements go to the server as they were dumped: no client reads commands of its own in them (C10). */
    async load(copying) {
      const file = await within((session) => program(session, 'pg_restore'))
      const argv = ['--exit-on-error', ...common, ...target(copying)]
      await copyByTenant('postgresql', put, copying, { file, argv, stdio: [copying.file, 'ignore'], env })
    },
  }
}

/** A server that lets tenants in to others is none that is well. */
async function statusOf(session: Session): Promise<ServerStatus> {
  await mustKeepTenantsApart(session)
  const [row] = await session.ask(
    statement`select split_part(current_setting('server_version'), ' ', 1),
      (select count(*) from pg_stat_activity where backend_type = 'client backend'), current_setting('max_connections')`,
  )
  return { version: row?.[0] ?? '', connections: Number(row?.[1]), mostConnections: Number(row?.[2]) }
}

async function isKnown(session: Session, name: DatabaseName): Promise<boolean> {
  const rows = await session.ask(
    statement`select 1 from pg_database where datname = ${value(name)}
      union all select 1 from pg_roles where rolname = ${value(name)}`,
  )
  return rows.length > 0
}

/** Removed as one, by the server: there is nothing to count but a removal that was interrupted. */
async function findDatabase(session: Session, name: DatabaseName): Promise<FoundDatabase | undefined> {
  const [row] = await session.ask(
    statement`select datcollate, datconnlimit = -2 from pg_database where datname = ${value(name)}`,
  )
  if (row === undefined) return undefined
  return { collation: row[0] ?? '', objects: row[1] === 't' ? -1 : 0 }
}

/** Nobody else may connect from the first moment on in which somebody may. */
async function createDatabase(session: Session, name: DatabaseName, collation: Collation): Promise<void> {
  await mustKeepTenantsApart(session)
  if ((await findDatabase(session, name)) !== undefined) return
  await session.ask(statement`create database ${quoted(name)} template template0 ${localed(collation)}`)
  await session.ask(statement`revoke all on database ${quoted(name)} from public`)
}

async function dropDatabase(session: Session, name: DatabaseName): Promise<void> {
  await unbar(session, name)
  await session.ask(statement`drop database if exists ${quoted(name)} with (force)`)
}

/** Its owner may have closed it, or have made it one that cannot be dropped. */
async function unbar(session: Session, name: DatabaseName): Promise<void> {
  if ((await findDatabase(session, name))?.objects !== 0) return
  const open = statement`allow_connections true connection limit -1 is_template false`
  await session.ask(statement`alter database ${quoted(name)} with ${open}`)
}

async function sizeOf(session: Session, name: DatabaseName): Promise<number | null> {
  const [row] = await session.ask(
    statement`select pg_database_size(oid) from pg_database where datname = ${value(name)}`,
  )
  return row === undefined ? null : Number(row[0] ?? 0)
}

async function findUser(session: Session, name: DatabaseName): Promise<FoundUser | undefined> {
  const [row] = await session.ask(userQuery(name))
  if (row === undefined) return undefined
  const [kept, canLogin, isExact] = row
  const verifier = PasswordVerifier.safeParse(kept).data
  return {
    verifier: verifier !== undefined && isVerifierOf('postgresql', verifier) ? verifier : null,
    isOpen: canLogin === 't',
    isExact: isExact === 't',
    sessions: await sessionsOf(session, name),
  }
}

/** Without a way in until it has its rights and no others. */
async function putUser(session: Session, { name, verifier, isOpen, guest }: DatabaseUser): Promise<void> {
  if (guest !== undefined) throw new WcpError('machine_failed', 'Cannot have guests in a database of PostgreSQL')
  const found = await findUser(session, name)
  if (found === undefined) await session.ask(statement`create role ${quoted(name)} nologin`)
  if (!isOpen) await askToEnd(session, name) // a transaction of the tenant's could hold what is changed next
  if (found?.isExact !== true) {
    await session.ask(tenants.made)
    if ((await findDatabase(session, name)) !== undefined)
      await session.ask(statement`alter database ${quoted(name)} owner to ${quoted(name)}`)
    await session.ask(mendedRights(name))
    await session.ask(statement`grant ${tenants.role} to ${quoted(name)}`)
  }
  const none = statement`nosuperuser nocreatedb nocreaterole inherit noreplication nobypassrls`
  const bounds = statement`connection limit ${number(mostConnections)} valid until 'infinity'`
  await session.ask(
    statement`alter role ${quoted(name)} with ${none} ${bounds} password ${value(verifier)} ${login(isOpen)}`,
  )
  if (!isOpen) await endSessions(session, name)
}

/** Its database, where there still is one, is the administrator's then. */
async function dropUser(session: Session, name: DatabaseName): Promise<void> {
  if ((await findUser(session, name)) === undefined) return
  await askToEnd(session, name)
  await session.ask(statement`alter role ${quoted(name)} with nologin`)
  await endSessions(session, name)
  if ((await findDatabase(session, name))?.objects === 0)
    await session.ask(statement`alter database ${quoted(name)} owner to current_user`)
  await session.ask(statement`drop role ${quoted(name)}`)
}

async function sessionsOf(session: Session, name: DatabaseName): Promise<number> {
  const [row] = await session.ask(statement`select count(*) from pg_stat_activity where usename = ${value(name)}`)
  return Number(row?.[0])
}

const endTries = 100
const endWaitMs = 50

async function endSessions(session: Session, name: DatabaseName): Promise<void> {
  for (let tries = 0; tries < endTries; tries++) {
    if ((await sessionsOf(session, name)) === 0) return
    await askToEnd(session, name)
    await pause(endWaitMs)
  }
  throw new WcpError('machine_failed', `Cannot end the connections of database user "${name}"`)
}

async function askToEnd(session: Session, name: DatabaseName): Promise<void> {
  await session.ask(
    statement`select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = ${value(name)}`,
  )
}

/** Those of the server's own version, and not the distribution's wrapper, which looks for clusters of its own. */
async function program(session: Session, name: 'pg_dump' | 'pg_restore'): Promise<string> {
  const [row] = await session.ask(statement`show server_version_num`)
  const major = Math.trunc(Number(row?.[0]) / 10_000)
  return `/usr/lib/postgresql/${major}/bin/${name}`
}
