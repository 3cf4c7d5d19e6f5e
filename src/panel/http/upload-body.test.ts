/** Bodies over real connections to Node's own server, with times that are short. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hangUpAfter, isTakenFrom, type UploadLimits, uploadBody } from './upload-body.ts'

let server: Server
let bounds: UploadLimits
let digest: string | undefined
let ended: string[]
let client: Socket
let answer: string

beforeEach(async () => {
  bounds = { mostBytes: 1_000_000, leastRate: { bytesPerSecond: 1000, graceMs: 400 } }
  digest = undefined
  ended = []
  answer = ''
  server = createServer({ connectionsCheckingInterval: 20 }, async (request, response) => {
    hangUpAfter(request, response)
    if (request.url === '/refused') return void response.writeHead(409).end('refused')
    let size = 0
    try {
      for await (const piece of uploadBody(request, bounds, digest)) size += (piece as Buffer).length
      response.end(`took ${size}`)
    } catch (error) {
      ended.push(error instanceof Error ? error.message : String(error))
      response.writeHead(400).end('failed')
    }
  })
  server.requestTimeout = 200
  server.headersTimeout = 100
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isTakenFrom(socket)) return
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  client.on('data', (piece) => {
    answer += piece
  })
  await once(client, 'connect')
})
afterEach(() => {
  client.destroy()
  server.closeAllConnections()
  server.close()
})

const head = (more: string, path = '/') => client.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n\r\n`)
const answered = async (words: string) => {
  while (!answer.includes(words)) await sleep(5)
}

it('are taken for longer than a request may last, while enough of them come, and the connection is kept', async () => {
  head('Content-Length: 1000')
  for (let part = 0; part < 10; part++) {
    client.write('x'.repeat(100))
    await sleep(80)
  }
  await answered('took 1000')
  head('Content-Length: 3')
  client.write('abc')

  await answered('took 3')
})

it('are not waited for when they come too slowly, however fast they began', async () => {
  head('Content-Length: 500000')
  client.write('x'.repeat(400_000))
  const trickle = setInterval(() => client.write('x'), 50)

  await answered('failed')
  clearInterval(trickle)

  expect(ended).toEqual(['Cannot read the body: it comes too slowly'])
})

it('are refused at once where they are too many, said or not', async () => {
  head('Content-Length: 1000001')
  await answered('failed')
  client.destroy()
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  head('Transfer-Encoding: chunked')
  client.write(`100000\r\n${'x'.repeat(0x100000)}\r\n`)
  while (ended.length < 2) await sleep(5)

  expect(ended).toEqual(Array(2).fill('Cannot take the file: it is larger than 977 KiB'))
})

it('are told from those that a connection did not bring to their end', async () => {
  head('Content-Length: 10')
  client.write('12345')
  await sleep(20)
  client.destroy()
  while (ended.length === 0) await sleep(5)

  expect(ended).toEqual(['Cannot read the body: the connection broke off'])
})

it('have to be those of their digest', async () => {
  digest = 'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:' // of "abc"
  head('Content-Length: 3')
  client.write('abc')
  await answered('took 3')
  head('Content-Length: 3')
  client.write('abd')
  await answered('failed')

  expect(ended).toEqual(['Cannot accept the body: it is not the one of Content-Digest, as sha-256'])
})

it('are the last of a connection where the client says so', async () => {
  const closed = once(client, 'close')
  head('Connection: close\r\nContent-Length: 3')
  client.write('abc')
  await closed

  expect(answer).toContain('took 3')
})

it.each(['close', 'keep-alive'])(
  'are let pass for a moment when they are refused, and then hung up: %s',
  async (wish) => {
    server.requestTimeout = 0
    head(`Connection: ${wish}\r\nContent-Length: 100000000`, '/refused')
    const closed = once(client, 'close')
    const more = setInterval(() => client.write(Buffer.alloc(100_000)), 20)
    await answered('refused')
    const began = performance.now()
    await closed
    clearInterval(more)

    expect(performance.now() - began).toBeGreaterThan(1500)
    expect(performance.now() - began).toBeLessThan(5000)
  },
)
