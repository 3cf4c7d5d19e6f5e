/** Bytes to the panel's port, as no client of ours would send them, and what comes back until the other side closes. */
import { connect } from 'node:tls'
import type { Stage } from './stage.ts'

export interface RawAnswer {
  /** Of each answer that came, in order; empty when the connection was closed without one. */
  readonly statuses: readonly number[]
  readonly text: string
  /** False: the connection was still open when the time was over. */
  readonly isClosed: boolean
}

/** @param patienceMs after this the test hangs up */
export function rawRequest({ product }: Stage, bytes: string | Buffer, patienceMs = 5000): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>()
  const socket = connect({ host: '127.0.0.1', port: product.ports.panel, rejectUnauthorized: false })
  let text = ''
  const end = (isClosed: boolean) => {
    clearTimeout(timer)
    socket.destroy()
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
    resolve({ statuses, text, isClosed })
  }
  const timer = setTimeout(() => end(false), patienceMs)
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => (text += chunk))
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => end(true))
  socket.on('secureConnect', () => socket.write(bytes))
  return promise
}
