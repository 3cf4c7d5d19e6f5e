/**
 * Sessions with PostgreSQL as its administrator, without a password: the server asks the kernel who connects, and wants its
 * own account. A process of that account makes the connection and hands the bytes on (`link-main.ts`); what is said, and
 * what the answers mean, is decided here. A session that is not in use stays open for a moment, as a job needs several.
 */
import { lstatSync } from 'node:fs'
import type { Socket } from 'node:net'
import { WcpError } from '../../../contract/errors.ts'
import { startUnprivileged } from '../child.ts'
import { selfCommand } from '../self-command.ts'
import { Incoming } from './incoming.ts'
import { errorOf, kindOf, Messages, query, rowOf, startup, wayOf } from './pg-packets.ts'
import { mostRows, patienceMs, type Row, type Session, signInMs } from './session.ts'
import type { Statement } from './statement.ts'

const idleMs = 5000
const mostIdle = 4
/** Names without a schema are the server's own. */
const settings = '-c search_path=pg_catalog -c lock_timeout=60000'

export class PostgresSessions {
  readonly #path: string
  readonly #dial: typeof link
  readonly #idle: OpenSession[] = []

  /** @param path of the server's socket */
  constructor(path: string, dial = link) {
    this.#path = path
    this.#dial = dial
  }

  /** A session for the work. One that failed is not used again. */
  async within<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#take() ?? (await OpenSession.begin(this.#path, await this.#dial(this.#path)))
    session.use()
    try {
      const result = await work(session)
      this.#put(session)
      return result
    } catch (error) {
      session.close()
      throw error
    }
  }

  #take(): OpenSession | undefined {
    for (;;) {
      const session = this.#idle.pop()
      if (session === undefined || session.isUsable) return session
      session.close()
    }
  }

  #put(session: OpenSession): void {
    if (this.#idle.length >= mostIdle) {
      session.close()
      return
    }
    this.#idle.push(session)
    session.rest(() => {
      const at = this.#idle.indexOf(session)
      if (at !== -1) this.#idle.splice(at, 1)
      session.close()
    })
  }
}

class OpenSession implements Session {
  readonly #socket: Socket
  readonly #incoming: Incoming
  #timer: NodeJS.Timeout | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    const messages = new Messages()
    this.#incoming = new Incoming(socket, (chunk) => messages.take(chunk))
  }

  static async begin(path: string, socket: Socket): Promise<OpenSession> {
    socket.setTimeout(signInMs)
    const session = new OpenSession(socket)
    try {
      socket.write(startup({ user: 'postgres', database: 'postgres', client_encoding: 'UTF8', options: settings }))
      await session.#signedIn()
    } catch (cause) {
      session.close()
      throw unreachable(path, 'it does not answer as it should', cause)
    }
    socket.setTimeout(patienceMs)
    return session
  }

  async #signedIn(): Promise<void> {
    for (;;) {
      const said = await this.#incoming.next()
      if (kindOf(said) === 'E') throw new Error(errorOf(said).text.slice(0, 500))
      if (kindOf(said) === 'Z') return
      if (kindOf(said) === 'R' && wayOf(said) !== 0) throw new Error('the server asks its own account for a password')
    }
  }

  get isUsable(): boolean {
    return !this.#incoming.isBroken
  }

  use(): void {
    clearTimeout(this.#timer)
    this.#socket.setTimeout(patienceMs)
    this.#socket.ref()
  }

  /** It keeps this process from nothing meanwhile. */
  rest(over: () => void): void {
    this.#socket.setTimeout(0)
    this.#socket.unref()
    this.#timer = setTimeout(over, idleMs)
    this.#timer.unref()
  }

  async ask(statement: Statement): Promise<readonly Row[]> {
    this.#socket.write(query(statement.text))
    const rows: Row[] = []
    let problem: Buffer | undefined
    try {
      for (;;) {
        const said = await this.#incoming.next()
        if (kindOf(said) === 'Z') break
        if (kindOf(said) === 'E') problem ??= said
        if (kindOf(said) === 'D' && rows.push(rowOf(said)) > mostRows) throw new Error('more rows than are asked for')
      }
    } catch (cause) {
      throw new WcpError('unavailable', 'Cannot get an answer from PostgreSQL', { cause, help })
    }
    if (problem === undefined) return rows
    const { code, text } = errorOf(problem)
    throw new WcpError('machine_failed', `Cannot do this in PostgreSQL: error ${code}, ${text.slice(0, 500)}`)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket.destroy()
  }
}

/** The account is the socket's owner: whoever could put another socket there is that account already. */
async function link(path: string): Promise<Socket> {
  const { uid, gid } = found(path)
  const child = await startUnprivileged({
    account: { uid, gid },
    command: [...selfCommand('database-link'), path],
    env: {},
    descriptors: [],
    stdio: ['ignore', 'ignore', 'ignore', 'link'],
  })
  return child.link()
}

function found(path: string) {
  const socket = lstatSync(path, { throwIfNoEntry: false })
  if (socket === undefined) throw unreachable(path, 'it is not running, or not installed')
  if (!socket.isSocket() || socket.uid === 0) throw unreachable(path, 'that is no socket of an account of its own')
  return socket
}

const help = 'Start it with "systemctl start postgresql"; where it is not installed, with "apt install postgresql".'

function unreachable(path: string, why: string, cause?: unknown): WcpError {
  return new WcpError('unavailable', `Cannot reach PostgreSQL at "${path}": ${why}`, { cause, help })
}
