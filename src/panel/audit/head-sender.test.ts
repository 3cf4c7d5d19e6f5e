import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { headSender } from './head-sender.ts'

let directory = ''
let ca = ''
let server: Server
let status = 204
let received: { type: string | undefined; body: unknown }[] = []
let logged: string[] = []
let log = pino({ enabled: false })

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-head-'))
  const [key, certificate] = [join(directory, 'key'), join(directory, 'crt')]
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${certificate}`
  execFileSync('/usr/bin/openssl', [...words.split(' '), '-addext', 'subjectAltName=DNS:localhost'], {
    stdio: 'ignore',
  })
  ca = readFileSync(certificate, 'utf8')
})
afterAll(() => rmSync(directory, { recursive: true }))

beforeEach(async () => {
  status = 204
  received = []
  // its own for each test: a sender that was closed may still say how its last attempt went
  const lines: string[] = []
  logged = lines
  log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).err?.message) })
  const tls = { key: readFileSync(join(directory, 'key')), cert: ca }
  server = createServer(tls, async (request, response) => {
    received.push({ type: request.headers['content-type'], body: JSON.parse(await text(request)) })
    response.writeHead(status, status === 302 ? { location: 'https://localhost/elsewhere' } : {}).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  url = () => `https://localhost:${port}/heads`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const arrives = (check: () => void) => vi.waitFor(check, { timeout: 5000 })
let url = () => ''
const head = (seq: number) => ({ seq, at: '2026-11-21T13:00:00.000Z', mac: 'a'.repeat(64), seal: 'b'.repeat(64) })
const sender = (everyMs: number, trusted = ca) =>
  headSender({ url, from: () => 'https://panel.example.com:8360', log, everyMs, ca: trusted })

it('sends the first head at once, and later the newest', async () => {
  const heads = sender(100)
  heads.told(head(1))
  await arrives(() => expect(received).toHaveLength(1))
  heads.told(head(2))
  heads.told(head(3))
  await arrives(() => expect(received).toHaveLength(2))
  heads.close()

  const from = 'https://panel.example.com:8360'
  expect(received).toEqual([
    { type: 'application/json', body: { panel: from, head: head(1) } },
    { type: 'application/json', body: { panel: from, head: head(3) } },
  ])
  expect(logged).toEqual([])
})

it.each([500, 302])('sends it again after an answer of %s, and says what is wrong', async (answer) => {
  status = answer
  const heads = sender(50)
  heads.told(head(1))
  await arrives(() => expect(received.length).toBeGreaterThan(1))
  status = 204
  await arrives(() => expect(received.length).toBeGreaterThan(2))
  heads.close()

  expect(received.every(({ body }) => JSON.stringify(body).includes('"seq":1'))).toBe(true)
  expect(logged).toContain(`it was answered with ${answer}`)
})

it('tells nothing to a server whose certificate it does not trust', async () => {
  const heads = headSender({ url, from: () => 'x', log, everyMs: 50 })
  heads.told(head(1))
  await arrives(() => expect(logged.length).toBeGreaterThan(0))
  heads.close()

  expect(received).toEqual([])
  expect(logged[0]).toMatch(/self-signed certificate/)
})

it('sends nothing where nothing is configured', async () => {
  const heads = headSender({ url: () => null, from: () => 'x', log, everyMs: 20 })
  heads.told(head(1))
  await new Promise((resolve) => setTimeout(resolve, 60))
  heads.close()

  expect(received).toEqual([])
})
