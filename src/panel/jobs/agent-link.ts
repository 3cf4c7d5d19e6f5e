/**
 * The panel's end of the line to the agent. The agent dials `agent.sock`, in a directory that only it and the panel can
 * enter; one connection at a time, frames in the closed grammar, anything else ends the connection.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { z } from 'zod'
import { type ErrorCode, errorTable, WcpError } from '../../contract/errors.ts'
import { encodeFrame, FrameDecoder, FrameError } from '../../contract/frame.ts'
import { Id } from '../../contract/values.ts'
import { AgentMessage, type Failure, type PanelMessage, wireVersion } from '../../contract/wire.ts'
import { isBusyStore } from '../../store/store-trouble.ts'
import type { AgentStatus } from './agent-status.ts'

export type Hello = Extract<AgentMessage, { t: 'hello' }>
/** The agent's messages about jobs. */
export type JobMessage = Exclude<AgentMessage, { t: 'hello' | 'answer' | 'audited' }>
export type Audited = Extract<AgentMessage, { t: 'audited' }>
type Question = Extract<PanelMessage, { ask: unknown }>
/** Without the id, which the link gives. */
export type Ask = Question extends infer Q ? (Q extends Question ? Omit<Q, 'ask'> : never) : never

export interface AgentListener {
  /** A new connection has said who it is. */
  connected(hello: Hello): void | Promise<void>
  /** At once when a message about a job arrives, also while the store keeps those before it waiting. */
  heard(job: Id): void
  /** In the order of arrival; the next ones wait for the end of these. */
  told(messages: readonly JobMessage[]): Promise<void>
  /** How far the root side has the audit trail. */
  audited(message: Audited): void
  gone(): void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: WcpError) => void
}

/** A connection that says nothing for so long after connecting is no agent. */
const helloTimeoutMs = 10_000
/** Messages that wait for the store; above this the agent has to wait too. */
const mostWaiting = 500
const busyPauseMs = 100
const pingTimeoutMs = 2000
/** How long a step may wait to be stored with the next ones; nobody sees less on a page. */
const newsWaitMs = 50

export class AgentLink implements AgentStatus {
  readonly #log: Logger
  readonly #server: Server
  readonly #pending = new Map<string, Pending>()
  readonly #helloTimeoutMs: number
  #listener: AgentListener | null = null
  #socket: Socket | null = null
  #hello: Hello | null = null

  constructor(log: Logger, options: { helloTimeoutMs?: number } = {}) {
    this.#log = log
    this.#helloTimeoutMs = options.helloTimeoutMs ?? helloTimeoutMs
    this.#server = createServer((socket) => this.#accept(socket))
  }

  get connected(): boolean {
    return this.#hello !== null
  }
  get readOnly(): string | null {
    return this.#hello?.readOnly ?? null
  }
  get version(): string | null {
    return this.#hello?.version ?? null
  }
  get phpVersions(): readonly string[] | null {
    return this.#hello?.php ?? null
  }
  get unenforced() {
    return this.#hello?.unenforced ?? []
  }
  /** null: the agent has not told. */
  get setupOpen(): boolean | null {
    return this.#hello?.setupOpen ?? null
  }

  /** Setup was closed through this connection; the next hello says so too. */
  setupClosed(): void {
    if (this.#hello) this.#hello = { ...this.#hello, setupOpen: false }
  }

  async listen(path: string, listener: AgentListener): Promise<void> {
    this.#listener = listener
    await rm(path, { force: true }) // of a panel that was killed; the directory is ours alone
    this.#server.listen(path)
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** False while no agent is there; nothing is kept for later. */
  send(message: PanelMessage): boolean {
    if (this.#socket === null || this.#hello === null) return false
    this.#socket.write(encodeFrame(message))
    return true
  }

  /** Whether the agent answers now: a frozen one keeps its connection. */
  async answers(): Promise<boolean> {
    return this.ask({ t: 'ping' }, z.null(), pingTimeoutMs).then(
      () => true,
      () => false,
    )
  }

  /** Throws `unavailable` while the agent is away or when it does not answer in time, else what it said went wrong. */
  async ask<S extends z.ZodType>(question: Ask, schema: S, timeoutMs: number): Promise<z.output<S>> {
    const ask = Id.parse(randomUUID())
    const answer = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => answer.reject(away(`it did not answer in ${timeoutMs / 1000} s`)), timeoutMs)
    this.#pending.set(ask, answer)
    try {
      if (!this.send({ ...question, ask })) throw away('it is not connected')
      const value = schema.safeParse(await answer.promise)
      if (value.success) return value.data
      throw new WcpError('internal', 'Cannot read the answer of the root side', { cause: value.error })
    } finally {
      clearTimeout(timer)
      this.#pending.delete(ask)
    }
  }

  #accept(socket: Socket): void {
    if (this.#socket !== null) {
      this.#log.warn('a second agent was turned away')
      socket.destroy()
      return
    }
    this.#socket = socket
    const decoder = new FrameDecoder()
    const intake = new Intake(socket, (news) => this.#tell(news))
    const timer = setTimeout(() => this.#refuse(socket, 'no hello in time'), this.#helloTimeoutMs)
    socket.on('error', (err) => this.#log.warn({ err }, 'the line to the agent failed'))
    socket.on('close', () => {
      clearTimeout(timer)
      this.#gone(socket)
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const value of decoder.push(chunk)) {
          if (socket.destroyed) return
          this.#receive(AgentMessage.parse(value), intake)
          clearTimeout(timer)
        }
      } catch (err) {
        this.#refuse(socket, 'a message outside the grammar', err)
      }
    })
  }

  #receive(message: AgentMessage, intake: Intake): void {
    if ((message.t === 'hello') === (this.#hello !== null)) throw new FrameError('a message out of order')
    if (message.t === 'hello') this.#greet(message)
    if (message.t === 'answer') {
      this.#answer(message)
      return
    }
    if (message.t === 'audited') {
      this.#listener?.audited(message)
      return
    }
    if (message.t !== 'hello') this.#listener?.heard(message.job)
    intake.add(message)
  }

  #greet(hello: Hello): void {
    if (hello.wire !== wireVersion) throw new FrameError(`wire version ${hello.wire} instead of ${wireVersion}`)
    this.#hello = hello
    this.#log.info({ version: hello.version, readOnly: hello.readOnly }, 'the agent is connected')
  }

  async #tell(news: Hello | readonly JobMessage[]): Promise<void> {
    if (this.#listener === null) return
    if ('t' in news) await this.#listener.connected(news)
    else await this.#listener.told(news)
  }

  #answer(message: Extract<AgentMessage, { t: 'answer' }>): void {
    const pending = this.#pending.get(message.ask) // unknown: the question has timed out
    if (message.failure) pending?.reject(failureAsError(message.failure))
    else pending?.resolve(message.value)
  }

  #refuse(socket: Socket, why: string, err?: unknown): void {
    this.#log.error({ why, err }, 'the line to the agent was closed')
    socket.destroy()
  }

  #gone(socket: Socket): void {
    if (socket !== this.#socket) return
    this.#socket = null
    this.#hello = null
    for (const pending of this.#pending.values()) pending.reject(away('the connection ended'))
    this.#listener?.gone()
    this.#log.warn('the agent is gone')
  }
}

/**
 * Hands on together what came together, so that the store waits for the disk once for all of it, and lets the sender wait
 * while too many are in line. What is no job's end is not worth a wait of its own: it stays a moment, for company.
 */
class Intake {
  readonly #socket: Socket
  readonly #tell: (news: Hello | readonly JobMessage[]) => Promise<void>
  #hello: Hello | null = null
  #waiting: JobMessage[] = []
  #timer: NodeJS.Timeout | null = null
  #busy = false

  constructor(socket: Socket, tell: (news: Hello | readonly JobMessage[]) => Promise<void>) {
    this.#socket = socket
    this.#tell = tell
  }

  add(message: Hello | JobMessage): void {
    if (message.t === 'hello') this.#hello = message
    else this.#waiting.push(message)
    if (this.#waiting.length >= mostWaiting) this.#socket.pause()
    if (this.#busy) return
    if (message.t === 'hello' || message.t === 'finished') void this.#drain()
    else this.#timer ??= setTimeout(() => void this.#drain(), newsWaitMs)
  }

  async #drain(): Promise<void> {
    this.#busy = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    for (let news = this.#next(); news !== null; news = this.#next()) {
      try {
        await this.#tellPatiently(news)
      } catch (error) {
        // Without its storage a message must not be acknowledged; the agent tells the end again when it comes back.
        this.#socket.destroy(error instanceof Error ? error : new Error(String(error)))
        this.#waiting = []
      }
    }
    this.#busy = false
  }

  /** Hello is a connection's first word. */
  #next(): Hello | readonly JobMessage[] | null {
    const hello = this.#hello
    this.#hello = null
    if (hello !== null) return hello
    const messages = this.#waiting
    this.#waiting = []
    if (messages.length >= mostWaiting) this.#socket.resume()
    return messages.length > 0 ? messages : null
  }

  /** A store that another process is writing to is waited for: the line is not to blame, and stays. */
  async #tellPatiently(news: Hello | readonly JobMessage[]): Promise<void> {
    for (;;) {
      try {
        return await this.#tell(news)
      } catch (error) {
        if (!isBusyStore(error) || this.#socket.destroyed) throw error
      }
      await pause(busyPauseMs)
    }
  }
}

function away(why: string): WcpError {
  return new WcpError('unavailable', `Cannot reach the root side: ${why}`)
}

function failureAsError({ code, message, help }: Failure): WcpError {
  return new WcpError(isErrorCode(code) ? code : 'machine_failed', message, { help })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}
