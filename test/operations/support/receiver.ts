/** An HTTPS server on the loopback that takes events, with a certificate of its own, and answers what the test says. */
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { localCertificate } from '../../support/local-certificate.ts'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly path: string
}

export interface Receiver {
  /** https://localhost:port */
  readonly url: string
  /** Whom to trust. */
  readonly ca: string
  readonly received: Received[]
  /** Status for the next calls, or none at all. */
  answer: number | 'never'
  stop(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const { key, cert: ca } = localCertificate()
  const received: Received[] = []
  const server = createServer({ key, cert: ca }, async (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    for await (const chunk of request) body += chunk
    received.push({ headers: request.headers, body, path: request.url ?? '' })
    if (receiver.answer === 'never') return
    response.writeHead(receiver.answer, { location: '/elsewhere' }).end('thanks')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens
  const receiver: Receiver = {
    url: `https://localhost:${port}`,
    ca,
    received,
    answer: 204,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
