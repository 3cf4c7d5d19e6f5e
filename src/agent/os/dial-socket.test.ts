import * as fs from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { dialSocket } from './dial-socket.ts'

/** Runs once, after the next look at a file and before anything is done with the answer. */
let afterLook = () => {}

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  const looking =
    <A extends unknown[], R>(look: (...given: A) => R) =>
    (...given: A): R => {
      const found = look(...given)
      afterLook()
      afterLook = () => {}
      return found
    }
  return { ...real, lstatSync: looking(real.lstatSync), fstatSync: looking(real.fstatSync) }
})

const uid = process.getuid?.() ?? -1
let folder: string
let servers: Server[] = []

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'wcp-dial-'))
})
afterEach(() => {
  afterLook = () => {}
  for (const server of servers) server.close()
  servers = []
  fs.rmSync(folder, { recursive: true })
})

const at = (name: string) => join(folder, name)

async function listen(name: string): Promise<Server> {
  const server = createServer((connection) => connection.end(name))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(at(name), resolve))
  return server
}

async function answerOf(path: string): Promise<string> {
  const socket = dialSocket(path, uid)
  if (socket === undefined) return 'not dialled'
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length
}

it('reaches the socket that was looked at, though another takes its name right after', async () => {
  await listen('panel')
  await listen('other')
  afterLook = () => fs.renameSync(at('other'), at('panel'))

  expect(await answerOf(at('panel'))).toBe('panel')
})

it.each([
  ['nothing', () => {}],
  ['a file', () => fs.writeFileSync(at('panel'), '')],
  ['a link to a socket', () => fs.symlinkSync(at('other'), at('panel'))],
  ['a directory', () => fs.mkdirSync(at('panel'))],
])('does not dial %s', async (_what, put) => {
  await listen('other')
  put()

  expect(await answerOf(at('panel'))).toBe('not dialled')
})

it("does not dial somebody else's socket, and holds nothing afterwards", async () => {
  await listen('panel')
  const before = openDescriptors()

  expect(dialSocket(at('panel'), uid + 1)).toBeUndefined()
  for (let n = 0; n < 3; n++) expect(await answerOf(at('panel'))).toBe('panel')

  expect(openDescriptors()).toBe(before)
})
