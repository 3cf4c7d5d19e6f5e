import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PostgresSessions } from './pg-session.ts'
import { statement } from './statement.ts'

const message = (kind: string, body: Buffer | string = '') => {
  const head = Buffer.alloc(5)
  head.write(kind, 'latin1')
  head.writeInt32BE(4 + Buffer.byteLength(body), 1)
  return Buffer.concat([head, Buffer.from(body)])
}
const ready = message('Z', 'I')
const signedIn = Buffer.concat([message('R', Buffer.alloc(4)), message('S', 'a\0b\0'), ready])
const row = message('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 2]), Buffer.from('ok')]))
const error = message('E', 'SERROR\0C42501\0Mno rights\0\0')

let directory: string
let server: Server
let sessions: PostgresSessions
let greeting: Buffer
/** What the server says to each question, one after the other. */
let answers: Buffer[]
let connections: Socket[]
/** Our ends of them. */
let dialed: Socket[]
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-pg-'))
  greeting = signedIn
  answers = []
  connections = []
  dialed = []
  server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(greeting)
      socket.on('data', () => socket.write(answers.shift() ?? ready))
    })
  }).listen(join(directory, 'socket'))
  await once(server, 'listening')
  sessions = new PostgresSessions(join(directory, 'socket'), async (path) => {
    const socket = createConnection(path)
    dialed.push(socket)
    return socket
  })
})
afterEach(() => {
  for (const socket of connections) socket.destroy()
  server.close()
  rmSync(directory, { recursive: true })
})

const ask = () => sessions.within((session) => session.ask(statement`select 1`))

it('hands out rows, and one connection after another job again', async () => {
  answers = [Buffer.concat([message('1'), message('2'), row, row, message('C', 'SELECT 2\0'), ready]), ready]

  expect(await ask()).toEqual([['ok'], ['ok']])
  expect(await ask()).toEqual([])
  expect(connections).toHaveLength(1)
})

it('tells what the server refuses, and begins anew after that', async () => {
  answers = [Buffer.concat([error, ready])]

  await expect(ask()).rejects.toMatchObject({ code: 'machine_failed', message: expect.stringContaining('no rights') })
  expect(await ask()).toEqual([])
  expect(connections).toHaveLength(2)
})

it('does not use a connection that the server has ended meanwhile', async () => {
  await ask()
  const ended = dialed.map((socket) => once(socket, 'close'))
  for (const socket of connections) socket.destroy()
  await Promise.all(ended)

  expect(await ask()).toEqual([])
  expect(connections).toHaveLength(2)
})

it.each([
  ['refuses to let it in', () => error],
  ['asks for a password', () => message('R', Buffer.from([0, 0, 0, 10]))],
  ['speaks another protocol', () => Buffer.from('HTTP/1.1 400 Bad Request')],
])('calls a server that %s out of reach', async (_, said) => {
  greeting = said()

  await expect(ask()).rejects.toMatchObject({ code: 'unavailable', help: expect.stringContaining('postgresql') })
})
