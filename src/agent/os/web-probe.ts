/** Whether the web server answers: a process that is there may still hang, and a unit that is active may serve nobody. */
import { connect } from 'node:net'
import { errorCode } from './error-code.ts'

/**
 * Asks on loopback for a name that no site has. Any answer will do, an end of the connection too: nginx closes that of a
 * name that it does not know, without reading all of the request. undefined when it answered, else why not.
 */
export function webProblem(port: number, timeoutMs = 3_000): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(timeoutMs, () => resolve(`no answer on port ${port} in ${timeoutMs / 1000} s`))
  socket.once('connect', () => socket.write('HEAD / HTTP/1.1\r\nHost: wcp360.invalid\r\nConnection: close\r\n\r\n'))
  socket.once('data', () => resolve(undefined))
  socket.once('end', () => resolve(undefined))
  socket.once('error', (error) => resolve(errorCode(error) === 'ECONNRESET' ? undefined : error.message))
  return promise.finally(() => socket.destroy())
}
