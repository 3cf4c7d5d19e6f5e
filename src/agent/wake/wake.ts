/** The agent's side of waking: dials the waker, reads its questions, writes the answers. */
import { type FSWatcher, watch } from 'node:fs'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { encodeFrame, FrameDecoder } from '../../contract/frame.ts'
import { parseWakeQuestion } from '../../contract/wake.ts'
import { dialSocket } from '../os/dial-socket.ts'
import { WakeAnswers, type WakeOptions } from './wake-answers.ts'

/** Of answers that the waker does not read. */
const maxUnsentBytes = 1024 * 1024

const shortestPauseMs = 50
const longestPauseMs = 2000

export interface WakerConnection extends WakeOptions {
  readonly socket: string
  /** The required owner of the socket. */
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
