/**
 * The connection to the panel. The agent dials a socket inside the panel's own 0700 directory, so root never listens and
 * the directory is the authentication (B1). Frames go to the engine; one that breaks the grammar ends the connection.
 */
import { type FSWatcher, watch } from 'node:fs'
import type { Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { encodeFrame, FrameDecoder, FrameError } from '../contract/frame.ts'
import type { AgentMessage } from '../contract/wire.ts'
import type { Engine } from './jobs/engine-api.ts'
import { rationedLog } from './jobs/rationed-log.ts'
import type { Log } from './log.ts'
import { dialSocket } from './os/dial-socket.ts'

export interface PanelLink {
  /** Dropped while there is no connection: the engine tells ends of jobs again at each hello. */
  emit(message: AgentMessage): void
  /** Dials, and again whenever the connection ends, until `close`. */
  start(engine: Pick<Engine, 'hello' | 'handle'>): void
  close(): void
}

export interface PanelLinkOptions {
  readonly socket: string
  /** The required owner of the socket. */
  readonly ownerUid: number
  readonly log: Log
}

const firstDelayMs = 100
const longestDelayMs = 5000
/** A connection that held so long was a good one: the next failure starts from the shortest delay again. */
const goodAfterMs = 10_000
/** A panel that stops reading must not grow the root side (C38). */
const maxUnsentBytes = 4 * 1024 * 1024

export function panelLink({ socket: path, ownerUid, log }: PanelLinkOptions): PanelLink {
  let engine: Pick<Engine, 'hello' | 'handle'> | undefined
  let current: Socket | undefined
  let isUp = false
  let delay = firstDelayMs
  let timer: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  let isClosed = false
  // A bad frame costs a connection, and the next one can be had at once.
  const tell = rationedLog(log)

  function dial(): void {
    clearTimeout(timer)
    if (isClosed || current !== undefined) return
    const connection = dialSocket(path, ownerUid)
    if (connection === undefined) later()
    else open(connection)
  }

  function open(connection: Socket): void {
    current = connection
    connection.once('connect', () => {
      isUp = true
      tell('info', {}, 'connected to the panel')
      engine?.hello()
    })
    const decoder = new FrameDecoder()
    const since = performance.now()
    connection.on('data', (chunk: Buffer) => receive(connection, decoder, chunk))
    connection.on('error', () => {}) // "close" follows
    connection.once('close', () => {
      if (isUp) tell('info', {}, 'disconnected from the panel')
      isUp = false
      current = undefined
      if (performance.now() - since > goodAfterMs) delay = firstDelayMs
      later()
    })
  }

  function later(): void {
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(dial, delay)
    delay = Math.min(delay * 2, longestDelayMs)
  }

  function receive(connection: Socket, decoder: FrameDecoder, chunk: Buffer): void {
    try {
      for (const frame of decoder.push(chunk)) {
        if (engine?.handle(frame) !== 'ok') throw new FrameError('a frame that the engine refuses')
      }
    } catch (error) {
      refuse(connection, error instanceof Error ? error.message : String(error))
    }
  }

  function refuse(connection: Socket, reason: string): void {
    tell('warn', { reason }, 'panel broke the protocol; connection closed')
    connection.destroy()
  }

  /** The socket appearing is the sign that a new panel listens; the timer is only for what a watch may miss. */
  function watchDirectory(): void {
    watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name !== basename(path) || current !== undefined) return
      delay = firstDelayMs
      dial()
    })
    watcher.on('error', (error) => log.warn({ err: error }, 'cannot watch for the panel; trying by time'))
  }

  return {
    emit(message) {
      if (current === undefined || !isUp) return
      current.write(encodeFrame(message))
      if (current.writableLength > maxUnsentBytes) refuse(current, 'it does not read')
    },
    start(to) {
      engine = to
      watchDirectory()
      dial()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      watcher?.close()
      current?.destroy()
    },
  }
}
