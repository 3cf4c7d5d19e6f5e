import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { webProblem } from './web-probe.ts'

async function probed(serve: (socket: Socket) => void, timeoutMs?: number): Promise<string | undefined> {
  const server = createServer((socket) => serve(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // of a TCP server
  try {
    return await webProblem(port, timeoutMs)
  } finally {
    server.close()
  }
}

it('is content with an answer, and with a connection that is closed', async () => {
  expect(await probed((socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'))).toBeUndefined()
  expect(await probed((socket) => socket.once('data', () => socket.end()))).toBeUndefined()
  expect(await probed((socket) => socket.once('data', () => socket.resetAndDestroy()))).toBeUndefined()
})

it('says it of a server that hangs', async () => {
  expect(await probed(() => {}, 50)).toMatch(/^no answer on port \d+ in 0\.05 s$/)
})

it('says it where nobody listens', async () => {
  expect(await webProblem(1)).toMatch(/ECONNREFUSED/)
})
