/** MariaDB as the distribution installs it: asked over its unix socket by root, who needs no password there. */
import { setTimeout as pause } from 'node:timers/promises'
import { type DatabaseName, PasswordVerifier } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import { copyByTenant } from './copy.ts'
import {
  type Copying,
  type DatabaseServer,
  type DatabaseUser,
  type FoundDatabase,
  type FoundUser,
  type Guest,
  mostConnections,
  type ServerStatus,
} from './database-server.ts'
import { withSession } from './mysql-session.ts'
import type { Session } from './session.ts'
import { account, collated, exactly, named, number, statement, user, value } from './statement.ts'

const client = '/usr/bin/mariadb'
const dumper = '/usr/bin/mariadb-dump'
const common = ['--no-defaults', '--default-character-set=utf8mb4']
const wholeDump = ['--single-transaction', '--routines', '--events', '--triggers', '--hex-blob']
/** Nothing of a dump is a command to the client, and no file is read or written for it (C10). */
const boundLoad = ['--sandbox', '--binary-mode', '--local-infile=0', '--batch']

export function mariadb(socket: string): DatabaseServer {
  const within = <T>(work: (session: Session) => Promise<T>) => withSession(socket, work)
  const put = (wanted: DatabaseUser) => within((session) => putUser(session, wanted))
  const target = ({ user: { name } }: Copying) => [`--socket=${socket}`, `--user=${name}`, '--', name]
  const env = (password: string) => ({ MYSQL_PWD: password })

  return {
    status: () => within(statusOf),
    knows: (name) => within((session) => isKnown(session, name)),
    database: (name) => within((session) => findDatabase(session, name)),
    async createDatabase(name, collation) {
      const create = statement`create database if not exists ${named(name)} ${collated(collation)}`
      await within((session) => session.ask(create))
    },
    async dropDatabase(name) {
      await within((session) => session.ask(statement`drop database if exists ${named(name)}`))
    },
    user: (name, guest) => within((session) => findUser(session, name, guest)),
    putUser: put,
    async dropUser(name) {
      await within(async (session) => {
        await session.ask(statement`drop user if exists ${user(name)}`)
        await endSessions(session, name)
      })
    },
    size: (name) => within((session) => sizeOf(session, name)),
    async dump(copying) {
      const argv = [...common, '--no-tablespaces', '--skip-comments', ...wholeDump, ...target(copying)]
      await copyByTenant('mariadb', put, copying, { file: dumper, argv, stdio: ['ignore', copying.file], env })
    },
    async load(copying) {
      const argv = [...common, ...boundLoad, ...target(copying)]
      await copyByTenant('mariadb', put, copying, { file: client, argv, stdio: [copying.file, 'ignore'], env })
    },
  }
}

async function statusOf(session: Session): Promise<ServerStatus> {
  const [row] = await session.ask(
    statement`select substring_index(version(), '-', 1), (select count(*) from information_schema.PROCESSLIST), @@max_connections`,
  )
  return { version: row?.[0] ?? '', connections: Number(row?.[1]), mostConnections: Number(row?.[2]) }
}

async function isKnown(session: Session, name: DatabaseName): Promise<boolean> {
  if ((await findDatabase(session, name)) !== undefined) return true
  const rows = await session.ask(statement`select 1 from mysql.global_priv where User = ${value(name)} limit 1`)
  return rows.length > 0
}

async function findDatabase(session: Session, name: DatabaseName): Promise<FoundDatabase | undefined> {
  const [row] = await session.ask(
    statement`select DEFAULT_COLLATION_NAME from information_schema.SCHEMATA where SCHEMA_NAME = ${value(name)}`,
  )
  if (row === undefined) return undefined
  const [counted] = await session.ask(
    statement`select (select count(*) from information_schema.TABLES where TABLE_SCHEMA = ${value(name)})
      + (select count(*) from information_schema.ROUTINES where ROUTINE_SCHEMA = ${value(name)})
      + (select count(*) from information_schema.TRIGGERS where TRIGGER_SCHEMA = ${value(name)})
      + (select count(*) from information_schema.EVENTS where EVENT_SCHEMA = ${value(name)})`,
  )
  return { collation: row[0] ?? '', objects: Number(counted?.[0]) }
}

/** Of tables and their indexes. */
async function sizeOf(session: Session, name: DatabaseName): Promise<number | null> {
  if ((await findDatabase(session, name)) === undefined) return null
  const [row] = await session.ask(
    statement`select sum(DATA_LENGTH + INDEX_LENGTH) from information_schema.TABLES where TABLE_SCHEMA = ${value(name)}`,
  )
  return Number(row?.[0] ?? 0)
}

async function findUser(
  session: Session,
  name: DatabaseName,
  guest: Guest | undefined,
): Promise<FoundUser | undefined> {
  const [row] = await session.ask(
    statement`select json_value(Priv, '$.plugin'), json_value(Priv, '$.authentication_string'),
      json_value(Priv, '$.account_locked'), json_value(Priv, '$.max_user_connections'), json_exists(Priv, '$.auth_or')
      from mysql.global_priv where User = ${value(name)} and Host = 'localhost'`,
  )
  if (row === undefined) return undefined
  const [plugin, kept, isLocked, most, hasOther] = row
  const isOurs = plugin === 'mysql_native_password' && hasOther !== '1'
  return {
    verifier: (isOurs && PasswordVerifier.safeParse(kept).data) || null,
    isOpen: isLocked !== '1',
    isExact: Number(most) === mostConnections && (await hasExactRights(session, name, guest)),
    sessions: await sessionsOf(session, name),
  }
}

/**
 * In the order in which `show grants` tells them. A guest makes nothing that runs in its own name: the database's user could
 * neither dump a routine of somebody else nor make it, a view or a trigger again.
 */
const rights = {
  read: statement`SELECT, SHOW VIEW`,
  write: statement`SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, SHOW VIEW`,
  all: statement`SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, SHOW VIEW, DELETE HISTORY`,
} as const

function rightsOf(guest: Guest | undefined) {
  return guest === undefined ? statement`ALL PRIVILEGES` : rights[guest.access]
}

/** The first line tells the rights everywhere: none but to sign in. */
async function hasExactRights(session: Session, name: DatabaseName, guest: Guest | undefined): Promise<boolean> {
  const lines = await session.ask(statement`show grants for ${user(name)}`)
  const [first = '', ...rest] = lines.map(([line]) => line ?? '')
  const target = statement` ON ${exactly(guest?.database ?? name)}.* TO ${user(name)}`.text
  const [line = ''] = rest
  if (!first.startsWith('GRANT USAGE ON *.* TO ') || rest.length !== 1 || !line.endsWith(target)) return false
  return line.slice(0, -target.length) === `GRANT ${rightsOf(guest).text}`
}

async function sessionsOf(session: Session, name: DatabaseName): Promise<number> {
  const [row] = await session.ask(
    statement`select count(*) from information_schema.PROCESSLIST where USER = ${value(name)}`,
  )
  return Number(row?.[0])
}

/** Locked until it has its rights and no others. */
async function putUser(session: Session, { name, verifier, isOpen, guest }: DatabaseUser): Promise<void> {
  const way = statement`identified via mysql_native_password using ${value(verifier)}`
  await session.ask(statement`create user if not exists ${user(name)} ${way} ${account(false)}`)
  if (!(await hasExactRights(session, name, guest))) {
    const where = exactly(guest?.database ?? name)
    await session.ask(statement`revoke all privileges, grant option from ${user(name)}`)
    await session.ask(statement`grant ${rightsOf(guest)} on ${where}.* to ${user(name)}`)
  }
  const bounds = statement`with max_user_connections ${number(mostConnections)}`
  await session.ask(statement`alter user ${user(name)} ${way} ${bounds} ${account(isOpen)}`)
  if (!isOpen) await endSessions(session, name)
}

const endTries = 100
const endWaitMs = 50

/** A connection that is to end does so after its present statement has noticed. */
async function endSessions(session: Session, name: DatabaseName): Promise<void> {
  for (let tries = 0; tries < endTries; tries++) {
    if ((await sessionsOf(session, name)) === 0) return
    await session.ask(statement`kill hard connection user ${user(name)}`)
    await pause(endWaitMs)
  }
  throw new WcpError('machine_failed', `Cannot end the connections of database user "${name}"`)
}
