/**
 * One connection to the web server of this machine, over which one site after another is asked for the head of the address
 * that nginx answers by itself. An HTTP client of Node's would take three times the processor for each.
 */
import { connect, type Socket } from 'node:net'

/** Answered by nginx itself, where the site is served, and written into no log when this machine asks. */
export const probePath = '/.well-known/wcp360-probe'

export type HeadAnswer =
  | { readonly status: number; readonly retryAfter: number | null; readonly ms: number }
  | { readonly failure: 'refused' | 'closed' | 'timeout' | 'malformed' }

const patienceMs = 5000
const longestHead = 16 * 1024
const address = '127.0.0.1'

/** The request of a site's head over any connection. */
export function headRequest(host: string): string {
  return `HEAD ${probePath} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: wcp360-probe\r\n\r\n`
}

export class HttpLine {
  readonly #port: () => number
  #socket: Socket | null = null

  /** @param port of nginx for HTTP, as configured now */
  constructor(port: () => number) {
    this.#port = port
  }

  /** One at a time. */
  async ask(host: string): Promise<HeadAnswer> {
    const isUsed = this.#socket !== null
    const first = await this.#askOnce(host)
    // nginx closes a connection that has served enough or rested too long; a site that it does not know closes a new one, too
    return isUsed && 'failure' in first && first.failure === 'closed' ? await this.#askOnce(host) : first
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #connected(): Socket {
    const socket = connect({ host: address, port: this.#port(), noDelay: true })
    socket.on('error', () => {}) // also while nobody asks; "close" follows
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = null
    })
    return socket
  }

  async #askOnce(host: string): Promise<HeadAnswer> {
    const begun = performance.now()
    const socket = this.#socket ?? this.#connected()
    this.#socket = socket
    socket.write(headRequest(host))
    const answer = await headOf(socket, begun)
    if ('failure' in answer) this.close()
    return answer
  }
}

/** Reads the head of one answer, which has no body. @param begun of `performance.now()` */
export async function headOf(socket: Socket, begun: number): Promise<HeadAnswer> {
  return await new Promise((resolve) => {
    let text = ''
    const end = (answer: HeadAnswer) => {
      clearTimeout(timer)
      socket.off('data', take).off('error', failed).off('close', closed)
      resolve(answer)
    }
    const take = (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (text.includes('\r\n\r\n')) end(read(text, performance.now() - begun))
      else if (text.length > longestHead) end({ failure: 'malformed' })
    }
    const failed = (error: NodeJS.ErrnoException) =>
      end({ failure: error.code === 'ECONNREFUSED' ? 'refused' : 'closed' })
    const closed = () => end({ failure: 'closed' })
    const timer = setTimeout(() => end({ failure: 'timeout' }), patienceMs)
    socket.on('data', take).on('error', failed).on('close', closed)
  })
}

function read(head: string, ms: number): HeadAnswer {
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1]
  if (status === undefined) return { failure: 'malformed' }
  const after = /\r\nretry-after: (\d{1,9})\r\n/i.exec(head)?.[1]
  return { status: Number(status), retryAfter: after === undefined ? null : Number(after), ms: Math.ceil(ms) }
}
