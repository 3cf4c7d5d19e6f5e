/** A PostgreSQL of a test's own for databases of tenants: on a socket, run by its account, and never the machine's. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { postgresAccount, postgresPrograms } from '../store/postgres.ts'
import type { Answer } from './mariadb.ts'

const run = promisify(execFile)
/** As an administrator writes them once. */
const doors = `local sameuser +wcp360_tenants scram-sha-256
local all +wcp360_tenants reject
host all +wcp360_tenants all reject
`
const administrator = 'local all postgres peer\nlocal all all peer\n'
const small = ['listen_addresses=', 'fsync=off', 'full_page_writes=off', 'shared_buffers=16MB', 'max_connections=30']

export interface Person {
  readonly user: string
  readonly password: string
  readonly database?: string
}

export class Postgresql {
  readonly #root: string
  readonly #bin: string
  readonly #socket: string
  readonly #account: { readonly uid: number; readonly gid: number }
  #server: ChildProcess | undefined

  private constructor(root: string, bin: string, socket: string, account: { uid: number; gid: number }) {
    this.#root = root
    this.#bin = bin
    this.#socket = socket
    this.#account = account
  }

  /** @param socket in a directory that is made for it */
  static async start(socket: string): Promise<Postgresql> {
    const [bin, account] = [postgresPrograms(), postgresAccount()]
    if (bin === undefined || account === undefined) throw new Error('PostgreSQL is not installed')
    const root = mkdtempSync('/dev/shm/wcp-postgresql-')
    for (const place of [root, dirname(socket)]) {
      mkdirSync(place, { recursive: true })
      chmodSync(place, 0o755)
      chownSync(place, account.uid, account.gid)
    }
    const made = new Postgresql(root, bin, socket, account)
    const options = ['--username=postgres', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8', '--auth=peer']
    await run(join(bin, 'initdb'), ['-D', join(root, 'data'), ...options], made.#own)
    made.keepApart(true)
    const settings = [...small, `unix_socket_directories=${dirname(socket)}`].flatMap((one) => ['-c', one])
    const server = spawn(join(bin, 'postgres'), ['-D', join(root, 'data'), ...settings], {
      ...made.#own,
      stdio: 'ignore',
    })
    made.#server = server
    for (let tries = 0; (await made.ask('select 1')).problem !== ''; tries++) {
      if (tries === 300 || server.exitCode !== null) throw new Error('PostgreSQL did not start')
      await pause(50)
    }
    return made
  }

  get #own() {
    return { ...this.#account, cwd: this.#root, env: { LC_ALL: 'C.UTF-8' } }
  }

  /** Whether the lines that keep tenants apart are in the file. */
  keepApart(isSo: boolean): void {
    writeFileSync(join(this.#root, 'data/pg_hba.conf'), `${isSo ? doors : ''}${administrator}`)
  }

  /** As its administrator, or as a user with a password, by the real client. */
  async ask(sql: string, as?: Person): Promise<Answer> {
    const who = as ?? { user: 'postgres', password: '' }
    const argv = [
      ...['--no-psqlrc', '--no-password', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1'],
      ...[`--host=${dirname(this.#socket)}`, `--username=${who.user}`, `--dbname=${who.database ?? who.user}`],
      ...['--command', sql],
    ]
    const own = as === undefined ? this.#own : { env: { LC_ALL: 'C.UTF-8', PGPASSWORD: who.password } }
    try {
      const { stdout } = await run(join(this.#bin, 'psql'), argv, own)
      return { lines: stdout.split('\n').filter((line) => line !== ''), problem: '' }
    } catch (error) {
      const { stderr } = error as { stderr?: string }
      return { lines: [], problem: stderr || String(error) }
    }
  }

  /** One after the other, whatever becomes of each: the errors in their order. */
  async problems(statements: readonly string[], as: Person): Promise<readonly string[]> {
    const argv = [
      ...['--no-psqlrc', '--no-password', '--quiet', '--output=/dev/null', `--host=${dirname(this.#socket)}`],
      ...[`--username=${as.user}`, `--dbname=${as.user}`, ...statements.flatMap((one) => ['--command', one])],
    ]
    const own = { env: { LC_ALL: 'C.UTF-8', PGPASSWORD: as.password } }
    const ended = await run(join(this.#bin, 'psql'), argv, own).catch((error: { stderr: string }) => error)
    return ended.stderr.split('\n').filter((line) => line.startsWith('ERROR'))
  }

  /** A connection that stays until it is ended. */
  connect(as: Person): Promise<Answer> {
    return this.ask('select pg_sleep(60)', as)
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGQUIT')
      await once(server, 'exit')
    }
    rmSync(this.#root, { recursive: true, force: true })
  }
}
