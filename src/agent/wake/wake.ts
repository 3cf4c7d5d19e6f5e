/** The agent's side of waking: dials the waker, looks the host up, has the tenant's PHP started, answers. */
import { type FSWatcher, watch } from 'node:fs'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { encodeFrame, FrameDecoder } from '../../contract/frame.ts'
import { Fqdn, type TenantName } from '../../contract/values.ts'
import { parseWakeQuestion, type WakeAnswer, type WakeRefusal, type WakeRefused } from '../../contract/wake.ts'
import type { HostLookup } from '../jobs/engine-api.ts'
import type { Log } from '../log.ts'
import { dialSocket } from '../os/dial-socket.ts'
import type { FpmStart, Services } from '../os/services.ts'

export interface WakeOptions {
  readonly services: Pick<Services, 'startFpm'>
  lookup(host: Fqdn): HostLookup
  readonly log: Log
  /** Starts of different tenants at once: a crowd of cold sites must not take the machine; 4 unless told. */
  readonly parallel?: number
  /** The present moment in milliseconds; a test's own in tests. */
  now?(): number
}

/** Seconds between tries of a PHP that does not start: doubled each time, this at most. */
const longestPauseSeconds = 60

/** Questions that wait for a start; the waker asks once for a host, a waker in wrong hands must not grow the root side. */
const mostWaiting = 2000
/** Of answers that the waker does not read. */
const maxUnsentBytes = 1024 * 1024

interface Setback {
  readonly times: number
  readonly notBefore: number
}

/** Answers the waker's questions; knows nothing of sockets. */
export class WakeAnswers {
  readonly #options: WakeOptions
  readonly #setbacks = new Map<TenantName, Setback>()
  readonly #queue: (() => void)[] = []
  #free: number

  constructor(options: WakeOptions) {
    this.#options = options
    this.#free = options.parallel ?? 4
  }

  async answer(wake: string): Promise<WakeAnswer> {
    const early = this.#judge(wake)
    if ('refused' in early) return early
    if (this.#queue.length >= mostWaiting) return refused(wake, 'busy', 2)
    await this.#enter()
    try {
      // While it waited, the tenant may have been suspended or deleted.
      const start = this.#judge(wake)
      return 'refused' in start ? start : await this.#start(wake, start)
    } finally {
      this.#leave()
    }
  }

  #judge(wake: string): FpmStart | WakeRefused {
    const host = Fqdn.safeParse(wake)
    const found = host.success ? this.#options.lookup(host.data) : { kind: 'unknown' as const }
    if (found.kind !== 'php') return refused(wake, found.kind, found.kind === 'suspended' ? 3600 : 0)
    const wait = this.#secondsToWait(found.start.name)
    return wait > 0 ? refused(wake, 'failed', wait) : found.start
  }

  async #start(wake: string, start: FpmStart): Promise<WakeAnswer> {
    try {
      await this.#options.services.startFpm(start)
      this.#setbacks.delete(start.name)
      return { ok: wake }
    } catch (error) {
      return refused(wake, 'failed', this.#setBack(start, error))
    }
  }

  #secondsToWait(tenant: TenantName): number {
    const setback = this.#setbacks.get(tenant)
    return setback ? Math.max(0, Math.ceil((setback.notBefore - this.#now()) / 1000)) : 0
  }

  #setBack(start: FpmStart, error: unknown): number {
    const times = (this.#setbacks.get(start.name)?.times ?? 0) + 1
    const seconds = Math.min(2 ** times, longestPauseSeconds)
    this.#setbacks.set(start.name, { times, notBefore: this.#now() + seconds * 1000 })
    this.#options.log.error({ tenant: start.name, times, seconds, err: error }, 'PHP did not start')
    return seconds
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }

  #enter(): Promise<void> | void {
    if (this.#free-- > 0) return
    return new Promise((resolve) => void this.#queue.push(resolve))
  }

  #leave(): void {
    this.#free++
    this.#queue.shift()?.()
  }
}

function refused(host: string, reason: WakeRefusal, retryAfter: number): WakeRefused {
  return { refused: host, reason, retryAfter }
}

const shortestPauseMs = 50
const longestPauseMs = 2000

export interface WakerConnection extends WakeOptions {
  readonly socket: string
  /** Who must own the socket. */
  readonly ownerUid: number
}

/** Keeps a connection to the waker for ever; `close` ends it. */
export function answerWakes({ socket: socketPath, ownerUid, ...options }: WakerConnection): { close(): void } {
  const answers = new WakeAnswers(options)
  let isClosed = false
  let socket: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let pauseMs = shortestPauseMs
  let directory: FSWatcher | undefined

  function dial(): void {
    if (isClosed || socket) return
    clearTimeout(timer)
    watchDirectory()
    const dialled = dialSocket(socketPath, ownerUid)
    if (dialled === undefined) later()
    else open(dialled)
  }

  function open(dialled: Socket): void {
    socket = dialled
    const decoder = new FrameDecoder()
    dialled.on('connect', () => {
      pauseMs = shortestPauseMs
    })
    dialled.on('data', (chunk: Buffer) => {
      try {
        for (const value of decoder.push(chunk)) void reply(dialled, value)
      } catch (error) {
        options.log.error({ err: error }, 'the waker broke the grammar')
        dialled.destroy()
      }
    })
    dialled.on('error', () => {}) // 'close' follows
    dialled.on('close', () => {
      socket = undefined
      later()
    })
  }

  function later(): void {
    if (isClosed) return
    timer = setTimeout(dial, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }

  /** A waker that starts later is noticed at once; where the directory does not exist yet, the pauses must do. */
  function watchDirectory(): void {
    if (directory) return
    try {
      directory = watch(dirname(socketPath), () => dial())
      directory.on('error', () => {
        directory?.close()
        directory = undefined
      })
    } catch {
      directory = undefined
    }
  }

  async function reply(to: Socket, value: unknown): Promise<void> {
    const question = parseWakeQuestion(value)
    if (!question) {
      options.log.error({}, 'the waker asked something unknown')
      to.destroy()
      return
    }
    const answer = await answers.answer(question.wake)
    if (to.destroyed) return
    to.write(encodeFrame(answer))
    if (to.writableLength > maxUnsentBytes) to.destroy()
  }

  dial()
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
      directory?.close()
      socket?.destroy()
    },
  }
}
