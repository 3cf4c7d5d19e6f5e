/** A session with MariaDB over its unix socket, as whoever this process is: the server asks the kernel, and no password exists. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { WcpError } from '../../../contract/errors.ts'
import { errorCode } from '../error-code.ts'
import { Incoming } from './incoming.ts'
import { errorOf, kindOf, Packets, query, rowOf, signIn } from './mysql-packets.ts'
import { mostRows, patienceMs, type Row, type Session, signInMs } from './session.ts'
import type { Statement } from './statement.ts'

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
  readonly #incoming: Incoming

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#incoming = new Incoming(socket, (chunk) => this.#packets.take(chunk))
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
    refused(await this.#incoming.next())
    this.#socket.write(this.#packets.answer(signIn('root')))
    for (let turns = 0; turns < 4; turns++) {
      const body = await this.#incoming.next()
      refused(body)
      if (kindOf(body) === 'ok') return
      this.#socket.write(this.#packets.answer(Buffer.alloc(0)))
    }
    throw new Error('the server keeps asking for another way to sign in')
  }

  async ask(statement: Statement): Promise<readonly Row[]> {
    this.#socket.write(this.#packets.ask(query(statement.text)))
    try {
      const first = await this.#incoming.next()
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
      const body = await this.#incoming.next()
      refused(body)
      if (kindOf(body) === 'end') return bodies
      if (bodies.push(body) > mostRows) throw new Error('more rows than are asked for')
    }
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
