import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spawnService } from '../exec.ts'
import { selfCommand } from '../self-command.ts'

let directory: string
let server: Server | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-link-'))
})
afterEach(() => {
  server?.close()
  server = undefined
  rmSync(directory, { recursive: true })
})

async function link() {
  const [file, ...argv] = selfCommand('database-link')
  const stdio = ['ignore', 'ignore', 'ignore', 'link'] as const
  return await spawnService(file, [...argv, join(directory, 'socket')], { stdio })
}

it('hands bytes to and fro, and ends with the server', async () => {
  server = createServer((socket) => socket.on('data', (chunk) => socket.end(`heard ${chunk}`)))
  await new Promise<void>((resolve) => server?.listen(join(directory, 'socket'), resolve))
  const child = await link()

  child.link().write('hello')

  expect(await text(child.link())).toBe('heard hello')
  expect(await child.ended).toBeLessThan(2)
})

it('ends with who asks', async () => {
  const gone = Promise.withResolvers<void>()
  server = createServer((socket) => socket.on('end', gone.resolve).resume())
  await new Promise<void>((resolve) => server?.listen(join(directory, 'socket'), resolve))
  const child = await link()
  child.link().write('hello')

  child.link().end()

  await gone.promise
  expect(await child.ended).toBeLessThan(2)
})

it('ends where nobody listens', async () => {
  const child = await link()

  expect(await text(child.link())).toBe('')
  expect(await child.ended).toBe(1)
})
