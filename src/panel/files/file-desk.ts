/**
 * Where file workers report: each comes over a connection of its own, which the root side has dialled for it, and serves one
 * request after another. Nothing of a file is held here but the piece that is on its way.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { FileAnswer, FileEntry, FileHello, type FileRequest, type Over } from '../../contract/file-wire.ts'
import { Id } from '../../contract/values.ts'
import { FileLine } from '../../lib/file-line.ts'
import type { FileAccess, FileChange, FileSite, OpenedFile } from '../../resources/file/access.ts'
import type { AgentLink } from '../jobs/agent-link.ts'

/** A worker starts in well under a second; a machine whose disk is busy takes longer. */
const startMs = 20_000
/** Also for a directory with a million entries, and for the next piece of a file. */
const answerMs = 60_000
/** For so long a worker waits for the next request: a person who looks around finds it started. */
const idleMs = 60_000
const channelLength = 36

interface Worker {
  readonly socket: Socket
  readonly line: FileLine
}

export class FileDesk implements FileAccess {
  readonly #link: Pick<AgentLink, 'ask'>
  readonly #server: Server
  /** By channel. */
  readonly #awaited = new Map<string, (socket: Socket) => void>()
  /** By site. */
  readonly #idle = new Map<Id, Worker[]>()
  readonly #open = new Set<Socket>()

  constructor(link: Pick<AgentLink, 'ask'>) {
    this.#link = link
    this.#server = createServer((socket) => this.#greet(socket))
  }

  /** @param path in a directory that the panel and root alone can enter */
  async listen(path: string): Promise<void> {
    await rm(path, { force: true }) // of a panel that was killed
    this.#server.listen(path)
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  async ask<S extends z.ZodType>(site: FileSite, request: FileRequest, answer: S): Promise<z.output<S>> {
    return await this.#asked(site, async (worker) => {
      const value = await asked(worker, request, answer)
      this.#rest(site, worker)
      return value
    })
  }

  async read(site: FileSite, path: string): Promise<OpenedFile> {
    return await this.#asked(site, async (worker) => {
      const entry = await asked(worker, { do: 'read', path }, FileEntry)
      return { entry, bytes: Readable.from(this.#bytes(site, worker, entry.size), { objectMode: false }) }
    })
  }

  /** Asked once: whether it was done when the worker ended nobody knows. */
  async change(site: FileSite, request: FileChange): Promise<void> {
    const worker = this.#resting(site) ?? (await this.#start(site))
    try {
      await asked(worker, request, z.unknown())
      this.#rest(site, worker)
    } catch (error) {
      throw this.#failed(site, worker, error)
    }
  }

  async write(site: FileSite, path: string, over: Over, bytes: AsyncIterable<Buffer>): Promise<void> {
    const worker = this.#resting(site) ?? (await this.#start(site))
    try {
      await worker.line.say({ do: 'write', path, over } satisfies FileRequest)
      await sendUntilAnswered(worker, bytes)
      this.#rest(site, worker)
    } catch (error) {
      throw this.#failed(site, worker, error)
    }
  }

  /** What changes nothing is asked again of a new worker when a resting one turns out to have ended. */
  async #asked<T>(site: FileSite, work: (worker: Worker) => Promise<T>): Promise<T> {
    for (;;) {
      const resting = this.#resting(site)
      const worker = resting ?? (await this.#start(site))
      try {
        return await work(worker)
      } catch (error) {
        const told = this.#failed(site, worker, error)
        if (resting === undefined || error instanceof Refused) throw told
      }
    }
  }

  async *#bytes(site: FileSite, worker: Worker, size: number): AsyncGenerator<Buffer> {
    let left = size
    let isWhole = false
    try {
      for (;;) {
        const frame = await within(answerMs, worker.line.next())
        if (frame?.kind !== 'bytes') throw brokenOff(frame?.value)
        if (frame.bytes.length > left) throw broken()
        if (frame.bytes.length === 0) break
        left -= frame.bytes.length
        yield frame.bytes
      }
      if (left > 0) throw broken()
      isWhole = true
    } finally {
      // who stops reading leaves bytes on their way: the next request would be answered with them
      if (isWhole) this.#rest(site, worker)
      else worker.socket.destroy()
    }
  }

  #resting({ domain }: FileSite): Worker | undefined {
    const worker = this.#idle.get(domain)?.pop()
    worker?.socket.setTimeout(0)
    return worker
  }

  async #start(site: FileSite): Promise<Worker> {
    const { tenant, domain } = site
    const channel = Id.parse(randomUUID())
    const { promise, resolve } = Promise.withResolvers<Socket>()
    this.#awaited.set(channel, resolve)
    try {
      await this.#link.ask({ t: 'files', tenant, domain, channel }, z.null(), startMs)
      const socket = await within(startMs, promise)
      const worker = { socket, line: new FileLine(socket) }
      socket.once('close', () => this.#forget(site, worker))
      FileHello.parse(await within(startMs, worker.line.json()))
      return worker
    } catch (error) {
      void promise.then((socket) => socket.destroy())
      throw error instanceof WcpError ? error : unavailable('they could not be opened', error)
    } finally {
      this.#awaited.delete(channel)
    }
  }

  /** The first bytes say for whom it is; a connection of which nobody knows is closed. */
  #greet(socket: Socket): void {
    this.#open.add(socket)
    socket.on('error', () => {}) // "close" follows
    socket.once('close', () => this.#open.delete(socket))
    socket.setTimeout(startMs, () => socket.destroy())
    const begin = () => {
      const channel: Buffer | null = socket.read(channelLength)
      if (channel === null) return
      socket.off('readable', begin)
      const take = this.#awaited.get(channel.toString('latin1'))
      socket.setTimeout(0)
      if (take === undefined) socket.destroy()
      else take(socket)
    }
    socket.on('readable', begin)
  }

  #rest({ domain }: FileSite, worker: Worker): void {
    if (worker.socket.destroyed) return
    this.#idle.set(domain, [...(this.#idle.get(domain) ?? []), worker])
    worker.socket.setTimeout(idleMs)
  }

  #forget({ domain }: FileSite, worker: Worker): void {
    const left = (this.#idle.get(domain) ?? []).filter((one) => one !== worker)
    if (left.length > 0) this.#idle.set(domain, left)
    else this.#idle.delete(domain)
  }

  /** What the worker refuses leaves it ready for the next request; everything else ends it. */
  #failed(site: FileSite, worker: Worker, error: unknown): WcpError {
    if (error instanceof Refused) {
      this.#rest(site, worker)
      return error.told
    }
    worker.socket.destroy()
    return error instanceof WcpError ? error : unavailable('what works on them has ended', error)
  }
}

class Refused extends Error {
  override readonly name = 'Refused'
  readonly told: WcpError

  constructor(told: WcpError) {
    super(told.message)
    this.told = told
  }
}

/** What is refused is refused at once: the bytes that would follow are not asked for. */
async function sendUntilAnswered({ line }: Worker, bytes: AsyncIterable<Buffer>): Promise<void> {
  let isAnswered = false
  let stop = () => {}
  const answer = line.json().finally(() => {
    isAnswered = true
    stop()
  })
  answer.catch(() => {}) // awaited below
  const pieces = bytes[Symbol.asyncIterator]()
  const piece = () => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | null>()
    stop = () => resolve(null)
    if (isAnswered) stop()
    else pieces.next().then(({ done, value }) => resolve(done ? null : value), reject)
    return promise
  }
  for (let next = await piece(); next !== null; next = await piece()) await within(answerMs, line.send(next))
  const isEarly = isAnswered
  await line.sendEnd()
  const told = FileAnswer.parse(await within(answerMs, answer))
  if ('failure' in told) throw refused(told)
  if (isEarly) throw broken()
  FileEntry.parse(told.value)
}

async function asked<S extends z.ZodType>(worker: Worker, request: FileRequest, schema: S): Promise<z.output<S>> {
  await worker.line.say(request)
  return await answered(worker, schema)
}

async function answered<S extends z.ZodType>({ line }: Worker, schema: S): Promise<z.output<S>> {
  const answer = FileAnswer.parse(await within(answerMs, line.json()))
  if ('failure' in answer) throw refused(answer)
  return schema.parse(answer.value)
}

function refused({ failure: { code, message } }: Extract<FileAnswer, { failure: unknown }>): Refused {
  return new Refused(new WcpError(code, message))
}

function brokenOff(value: unknown): WcpError {
  const told = FileAnswer.safeParse(value).data
  if (told !== undefined && 'failure' in told) return new WcpError(told.failure.code, told.failure.message)
  return broken()
}

function broken(): WcpError {
  return unavailable('they broke off')
}

function unavailable(why: string, cause?: unknown): WcpError {
  return new WcpError('unavailable', `Cannot read or change the files: ${why}`, { cause })
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(unavailable(`no answer in ${ms / 1000} s`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
