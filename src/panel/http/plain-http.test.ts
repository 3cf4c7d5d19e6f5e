import { once } from 'node:events'
import { request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localCertificate } from '../../../test/support/local-certificate.ts'
import { limits } from './limits.ts'
import { httpsServer } from './server.ts'

const server = httpsServer(localCertificate(), { acceptsHost: (host) => host.startsWith('panel.example.com') })
let port: number
let asked = 0

beforeAll(async () => {
  server.on('request', (incoming, response) => {
    asked++
    incoming.resume().on('end', () => response.end('secure'))
  })
  server.listen(0, '::')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close().closeAllConnections()
})

/** What comes back until the server hangs up. */
async function plain(text: string, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host)
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {}) // 'close' follows
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

const get = (target: string, host: string) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

it('leads a visitor without TLS to the same address with it', async () => {
  const answer = await plain(get('/tenants?page=2', 'panel.example.com:8360'))

  expect(answer).toMatch(/^HTTP\/1\.1 307 /)
  expect(answer).toContain('\r\nLocation: https://panel.example.com:8360/tenants?page=2\r\n')
})

it.each([
  ['a foreign host', get('/', 'evil.example.com')],
  ['no host', 'GET / HTTP/1.0\r\n\r\n'],
  ['the API', get('/api/v1/tenants', 'panel.example.com')],
  ['a form', 'POST /login HTTP/1.1\r\nHost: panel.example.com\r\nContent-Length: 3\r\n\r\na=b'],
  ['an address with a line break', get('/\u000bx', 'panel.example.com')],
  ['no HTTP at all', 'HELLO\r\n'],
])('tells %s in one line', async (_, text) => {
  const answer = await plain(text)

  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).not.toContain('Location')
  expect(answer).toMatch(/\r\n\r\nThis port speaks HTTPS: .*\n$/)
})

it('acts upon nothing of it, and answers over TLS, in pieces too', async () => {
  const before = asked
  await plain(get('/', 'panel.example.com'))
  expect(asked).toBe(before)

  const answers = await Promise.all([overTls('short'), overTls('x'.repeat(300_000))])

  expect(answers).toEqual(['secure', 'secure'])
})

it('counts the connections of one address, also without TLS', async () => {
  const sockets = Array.from({ length: limits.connectionsPerAddress }, () => connect(port, '127.0.0.1'))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))

  expect(await plain(get('/', 'panel.example.com'))).toBe('')
  expect(await plain(get('/', 'panel.example.com'), '::1')).toMatch(/^HTTP\/1\.1 307 /)
  for (const socket of sockets) socket.destroy()
})

function overTls(body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      method: 'POST',
      rejectUnauthorized: false,
      agent: false,
      headers: { host: 'panel.example.com' },
    }
    request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end(body)
  })
}
