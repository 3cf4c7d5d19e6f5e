import { once } from 'node:events'
import { request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localCertificate } from '../../../test/support/local-certificate.ts'
import { httpsServer } from './server.ts'

const server = httpsServer(localCertificate())
let port: number
let asked = 0

beforeAll(async () => {
  server.on('request', (incoming, response) => {
    asked++
    incoming.resume().on('end', () => response.end('secure'))
  })
  server.listen(0)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close().closeAllConnections()
})

/** Resolves with all that comes until the server hangs up. */
async function plain(text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {}) // 'close' follows
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

it.each(['GET', 'HEAD', 'POST'])('says in one line that the port speaks HTTPS: to a %s', async (method) => {
  const answer = await plain(`${method} /tenants HTTP/1.1\r\nHost: panel.example.com\r\nX: ${'x'.repeat(7000)}\r\n\r\n`)

  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toMatch(/\r\n\r\nThis port speaks HTTPS: .*\n$/)
  expect(asked).toBe(0)
})

it('says nothing to what is neither HTTP nor TLS', async () => {
  expect(await plain('HELLO\r\n\r\n')).not.toContain('HTTP')
})

it('leaves requests over TLS to the panel, with an answer to one that is too large', async () => {
  expect(await overTls({})).toMatchObject({ status: 200, body: 'secure' })
  expect(await overTls({ x: 'x'.repeat(20_000) })).toMatchObject({ status: 431 })
})

function overTls(headers: Record<string, string>): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request({ port, rejectUnauthorized: false, agent: false, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
      .on('error', reject)
      .end()
  })
}
