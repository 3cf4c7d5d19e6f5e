import { once } from 'node:events'
import { createServer as httpServer, type Server } from 'node:http'
import { createServer as httpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { localCertificate } from '../../../test/support/local-certificate.ts'
import { demandLeastRate } from './least-rate.ts'

/** More than any kernel takes at once. */
const answer = Buffer.alloc(14_000_000)
const [graceMs, everyMs] = [200, 50]
const tls = localCertificate()
const servers: Server[] = []

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function serving(scheme: 'http' | 'https', bytesPerSecond: number): Promise<() => Promise<Socket>> {
  const server = scheme === 'https' ? httpsServer(tls) : httpServer()
  server.on('request', (request, response) => response.end(request.url === '/long' ? answer : 'short'))
  demandLeastRate(server, { bytesPerSecond, graceMs, everyMs })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return async () => {
    const client = scheme === 'https' ? connectTls({ port, rejectUnauthorized: false }) : connect(port, '127.0.0.1')
    client.on('error', () => {}) // 'close' follows
    await once(client, scheme === 'https' ? 'secureConnect' : 'connect')
    return client
  }
}

const ask = (client: Socket, path: string) => client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)

/** Reads one piece after the other, steadily. @returns how many bytes came until the end of all, or of the connection */
async function readSlowly(client: Socket): Promise<number> {
  let bytes = 0
  let isOpen = true
  client.once('close', () => {
    isOpen = false
  })
  while (isOpen && bytes < answer.length) {
    client.once('data', (piece) => {
      bytes += piece.length
      client.pause()
    })
    client.resume()
    await pause(3)
  }
  client.destroy()
  return bytes
}

describe.each(['http', 'https'] as const)('by %s, who reads', (scheme) => {
  it('more slowly than is allowed is hung up on', async () => {
    const client = await (await serving(scheme, 1e12))()
    ask(client, '/long')

    expect(await readSlowly(client)).toBeLessThan(answer.length)
  })

  it('slowly, and faster than that, gets the whole answer', async () => {
    const client = await (await serving(scheme, 1))()
    ask(client, '/long')

    expect(await readSlowly(client)).toBeGreaterThanOrEqual(answer.length)
  })

  it('at once and waits a while goes on, as nothing waits to be sent', async () => {
    const client = await (await serving(scheme, 1e12))()
    const pieces: string[] = []
    client.on('data', (piece) => pieces.push(piece.toString()))
    ask(client, '/short')
    await pause(graceMs + 4 * everyMs)
    ask(client, '/short')
    while (pieces.join('').split('short').length < 3) await pause(10)

    expect(client.destroyed).toBe(false)
    client.destroy()
  })
})
