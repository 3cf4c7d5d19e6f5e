/** A throw-away PostgreSQL on a Unix socket, run by the `postgres` user below a temporary directory. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

export interface Cluster {
  /** Makes an empty database. @returns its URL */
  newDatabase(): Promise<string>
  /** Removes every row but those that the migrations wrote: much faster than a new database. */
  empty(url: string): Promise<void>
  stop(): void
}

/** @returns the directory of `initdb` and `pg_ctl` of the newest installed version from 15 on */
export function postgresPrograms(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  return versions
    .filter((version) => Number(version) >= 15)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/** Why there can be none here; undefined when there can. */
export function postgresMissing(): string | undefined {
  if (postgresPrograms() === undefined) return 'PostgreSQL 15 or newer is not installed (Debian package "postgresql")'
  if (process.getuid?.() === 0) return postgresAccount() === undefined ? 'there is no user "postgres"' : undefined
  return undefined
}

/** PostgreSQL refuses to run as root. */
export function postgresAccount(): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

export function startPostgres(): Cluster {
  const bin = postgresPrograms()
  if (bin === undefined) throw new Error('PostgreSQL is not installed')
  const as = process.getuid?.() === 0 ? postgresAccount() : undefined
  const directory = mkdtempSync(join(tmpdir(), 'wcp360-pg-'))
  chmodSync(directory, 0o700)
  if (as !== undefined) chownSync(directory, as.uid, as.gid)
  const data = join(directory, 'data')
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(bin, program), args, { ...as, cwd: directory, env: { LC_ALL: 'C.UTF-8' }, stdio: 'ignore' })

  // A locale that orders otherwise than bytes do would show where an order is left to the server.
  run('initdb', '-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8')
  run(
    'pg_ctl',
    '-D',
    data,
    '-w',
    '-l',
    join(directory, 'log'),
    '-o',
    `-k ${directory} -c listen_addresses= -c fsync=off`,
    'start',
  )

  const url = (database: string) => `postgres://postgres@/${database}?host=${encodeURIComponent(directory)}`
  return {
    async newDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`
      const client = new pg.Client({ connectionString: url('postgres') })
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return url(name)
    },
    async empty(url) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'public' and tablename <> all($1)",
        [['roles', 'permissions', 'role_permissions', 'schema_migrations']],
      )
      // Without this a delete is refused where rows point at each other.
      const statements = [
        'set session_replication_role = replica',
        ...rows.map(({ name }) => `delete from ${name}`),
        'delete from role_permissions where role_id in (select id from roles where is_built_in = 0)',
        'delete from roles where is_built_in = 0',
      ]
      await client.query(statements.join('; '))
      await client.end()
    },
    stop() {
      run('pg_ctl', '-D', data, '-m', 'immediate', 'stop')
      rmSync(directory, { recursive: true })
    },
  }
}
