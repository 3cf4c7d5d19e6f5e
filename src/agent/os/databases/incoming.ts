/** The packets of a server as they come, one after the other, until the stream breaks. */
import type { Socket } from 'node:net'

export class Incoming {
  readonly #socket: Socket
  readonly #come: Buffer[] = []
  #waiting: { resolve(body: Buffer): void; reject(cause: Error): void } | undefined
  #broken: Error | undefined

  /** @param take splits what has come into the packets that are whole now; throws at one that is none */
  constructor(socket: Socket, take: (chunk: Buffer) => readonly Buffer[]) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#come.push(...take(chunk))
      } catch (error) {
        this.#break(error instanceof Error ? error : new Error('a wrong packet'))
      }
      this.#hand()
    })
    socket.on('error', (error) => this.#break(error))
    socket.on('close', () => this.#break(new Error('the server closed the connection')))
    socket.on('timeout', () => this.#break(new Error('the server did not answer in time')))
  }

  get isBroken(): boolean {
    return this.#broken !== undefined
  }

  next(): Promise<Buffer> {
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
}
