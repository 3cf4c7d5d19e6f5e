/** A session with MariaDB over its unix socket, as whoever this process is: the server asks the kernel, and no password exists. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { WcpError } from '../../../contract/errors.ts'
import { errorCode } from '../error-code.ts'
import { errorOf, kindOf, Packets, query, rowOf, signIn } from './mysql-packets.ts'
import type { Statement } from './statement.ts'

export type Row = readonly (string | null)[]

const mostRows = 10_000
/** A large database takes its time to be dropped. */
const patienceMs = 10 * 60_000
const signInMs = 10_000

export interface Session {
  ask(statement: Statement): Promise<readonly Row[]>
}

/** One session for the work, closed again whatever happens. */
export async function withSession<T>(socket: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await OpenSession.begin(socket)
  try {
    return await work(session)
  } finally {
    session.close()
  }
}

class OpenSession implements Session {
  readonly #socket: Socket
  readonly #packets = new Packets()
  readonly #come: Buffer[] = []
  #waiting: { resolve(body: Buffer): void; reject(cause: Error): void } | undefined
  #broken: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#come.push(...this.#packets.take(chunk))
      } catch (error) {
        this.#break(error instanceof Error ? error : new Error('a wrong packet'))
      }
      this.#hand()
    })
    socket.on('error', (error) => this.#break(error))
    socket.on('close', () => this.#break(new Error('the server closed the connection')))
    socket.on('timeout', () => this.#break(new Error('the server did not answer in time')))
  }

  static async begin(path: string): Promise<OpenSession> {
    const socket = createConnection(path)
    socket.setTimeout(signInMs)
    try {
      await once(socket, 'connect')
    } catch (cause) {
      socket.destroy()
      throw unreachable(path, cause)
    }
    const session = new OpenSession(socket)
    try {
      await session.#signIn()
    } catch (cause) {
      session.close()
      throw cause instanceof WcpError ? cause : unreachable(path, cause)
    }
    socket.setTimeout(patienceMs)
    return session
  }

  /** An empty answer to whatever way to sign in is asked for: who we are is seen on the socket. */
  async #signIn(): Promise<void> {
    refused(await this.#next())
    this.#socket.write(this.#packets.answer(signIn('root')))
    for (let turns = 0; turns < 4; turns++) {
      const body = await this.#next()
      refused(body)
      if (kindOf(body) === 'ok') return
      this.#socket.write(this.#packets.answer(Buffer.alloc(0)))
    }
    throw new Error('the server keeps asking for another way to sign in')
  }

  async ask(statement: Statement): Promise<readonly Row[]> {
    this.#socket.write(this.#packets.ask(query(statement.text)))
    try {
      const first = await this.#next()
      refused(first)
      if (kindOf(first) === 'ok') return []
      await this.#untilEnd() // of the columns
      return (await this.#untilEnd()).map(rowOf)
    } catch (cause) {
      if (cause instanceof WcpError) throw cause
      throw new WcpError('unavailable', 'Cannot get an answer from MariaDB', { cause, help })
    }
  }

  async #untilEnd(): Promise<readonly Buffer[]> {
    const bodies: Buffer[] = []
    for (;;) {
      const body = await this.#next()
      refused(body)
      if (kindOf(body) === 'end') return bodies
      if (bodies.push(body) > mostRows) throw new Error('more rows than are asked for')
    }
  }

  #next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#hand()
    })
  }

  #hand(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const body = this.#come.shift()
    if (body === undefined && this.#broken === undefined) return
    this.#waiting = undefined
    if (body !== undefined) waiting.resolve(body)
    else if (this.#broken !== undefined) waiting.reject(this.#broken)
  }

  #break(cause: Error): void {
    this.#broken ??= cause
    this.#socket.destroy()
    this.#hand()
  }

  close(): void {
    this.#socket.destroy()
  }
}

const help = 'Start it with "systemctl start mariadb"; where it is not installed, with "apt install mariadb-server".'

function unreachable(path: string, cause: unknown): WcpError {
  const isAbsent = errorCode(cause) === 'ENOENT'
  const why = isAbsent ? 'it is not running, or not installed' : 'it does not answer as it should'
  return new WcpError('unavailable', `Cannot reach MariaDB at "${path}": ${why}`, { cause, help })
}

function refused(body: Buffer): void {
  if (kindOf(body) !== 'error') return
  const { number, text } = errorOf(body)
  throw new WcpError('machine_failed', `Cannot do this in MariaDB: error ${number}, ${text.slice(0, 500)}`)
}
