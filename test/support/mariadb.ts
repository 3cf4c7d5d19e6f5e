/** A MariaDB of a test's own: in a temporary directory, on a socket, and never the machine's. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** What it runs as: neither root nor a tenant. */
const nobody = 65534
const small = [
  ...['--innodb-buffer-pool-size=8M', '--innodb-log-file-size=4M', '--innodb-flush-log-at-trx-commit=0'],
  ...['--performance-schema=0', '--key-buffer-size=64K', '--skip-networking', '--skip-log-bin'],
]

export interface Answer {
  readonly lines: readonly string[]
  /** What the client said of an error; empty without one. */
  readonly problem: string
}

export class Mariadb {
  readonly socket: string
  readonly #root: string
  readonly #server: ChildProcess

  private constructor(root: string, socket: string, server: ChildProcess) {
    this.#root = root
    this.socket = socket
    this.#server = server
  }

  /** @param socket in a directory that is made for it */
  static async start(socket: string): Promise<Mariadb> {
    const root = mkdtempSync('/dev/shm/wcp-mariadb-')
    const data = join(root, 'data')
    for (const place of [root, join(socket, '..')]) {
      mkdirSync(place, { recursive: true })
      chmodSync(place, 0o755)
      chownSync(place, nobody, nobody)
    }
    const as = ['--no-defaults', `--datadir=${data}`, '--user=nobody']
    const install = ['--skip-test-db', '--auth-root-authentication-method=socket', '--innodb-log-file-size=4M']
    await run('/usr/bin/mariadb-install-db', [...as, ...install])
    const argv = [...as, `--socket=${socket}`, `--pid-file=${root}/pid`, ...small]
    const server = spawn('/usr/sbin/mariadbd', argv, { stdio: 'ignore' })
    const made = new Mariadb(root, socket, server)
    for (let tries = 0; (await made.ask('select 1')).problem !== ''; tries++) {
      if (tries === 300 || server.exitCode !== null) throw new Error('MariaDB did not start')
      await pause(50)
    }
    return made
  }

  /** As its administrator, or as a user with a password, by the real client. */
  async ask(sql: string, as?: { readonly user: string; readonly password: string; readonly database?: string }) {
    const who = as === undefined ? ['--user=root'] : [`--user=${as.user}`, `--password=${as.password}`]
    const where = as?.database === undefined ? [] : [`--database=${as.database}`]
    const argv = [
      '--no-defaults',
      '--default-character-set=utf8mb4',
      `--socket=${this.socket}`,
      ...who,
      ...where,
      '--batch',
      '--raw',
      '--skip-column-names',
    ]
    return await answerOf(run('/usr/bin/mariadb', [...argv, '--execute', sql]))
  }

  /** A connection that stays until it is ended. */
  connect(as: { readonly user: string; readonly password: string }): Promise<Answer> {
    return this.ask('select sleep(60)', as)
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      this.#server.kill('SIGKILL')
      await once(this.#server, 'exit')
    }
    rmSync(this.#root, { recursive: true, force: true })
  }
}

async function answerOf(running: Promise<{ readonly stdout: string }>): Promise<Answer> {
  try {
    const { stdout } = await running
    return { lines: stdout.split('\n').filter((line) => line !== ''), problem: '' }
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    return { lines: [], problem: stderr || String(error) }
  }
}
