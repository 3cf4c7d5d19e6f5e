import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { encodeFrame, FrameDecoder } from '../contract/frame.ts'
import type { AgentMessage } from '../contract/wire.ts'
import { type PanelLink, panelLink } from './panel-link.ts'

const folder = mkdtempSync(join(tmpdir(), 'wcp-link-'))
const path = join(folder, 'agent.sock')
const uid = process.getuid?.() ?? -1
const hello: AgentMessage = { t: 'heartbeat', job: '3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e' as never }
let open: (() => void)[] = []

afterEach(() => {
  for (const close of open) close()
  open = []
})

function silentLog() {
  return { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
}

function startLink(handle: (frame: unknown) => 'ok' | 'close', log = silentLog(), ownerUid = uid): PanelLink {
  const link = panelLink({ socket: path, ownerUid, log })
  link.start({ hello: () => link.emit(hello), handle })
  open.push(() => link.close())
  return link
}

interface FakePanel {
  readonly received: unknown[]
  readonly connections: Socket[]
  close(): Promise<void>
}

async function fakePanel(): Promise<FakePanel> {
  const received: unknown[] = []
  const connections: Socket[] = []
  const server: Server = createServer((connection) => {
    const decoder = new FrameDecoder()
    connections.push(connection)
    connection.on('error', () => {})
    connection.on('data', (chunk: Buffer) => received.push(...decoder.push(chunk)))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      for (const connection of connections) connection.destroy()
      server.close(() => resolve())
    })
  open.push(() => void close())
  return { received, connections, close }
}

describe('panelLink', () => {
  it('says hello as soon as the panel listens, and again to a new panel', async () => {
    startLink(() => 'ok')

    const first = await fakePanel()
    await vi.waitFor(() => expect(first.received).toEqual([hello]))
    await first.close()
    const second = await fakePanel()

    await vi.waitFor(() => expect(second.received).toEqual([hello]), 3000)
  })

  it('hands frames to the engine in order', async () => {
    const frames: unknown[] = []
    startLink((frame) => {
      frames.push(frame)
      return 'ok'
    })
    const panel = await fakePanel()
    await vi.waitFor(() => expect(panel.connections).toHaveLength(1))

    panel.connections[0]?.write(Buffer.concat([encodeFrame({ n: 1 }), encodeFrame({ n: 2 })]))

    await vi.waitFor(() => expect(frames).toEqual([{ n: 1 }, { n: 2 }]))
  })

  it.each([
    ['a frame that the engine refuses', encodeFrame({ n: 1 })],
    ['a frame over the limit', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a key given twice', Buffer.concat([Buffer.from([0, 0, 0, 13]), Buffer.from('{"a":1,"a":2}')])],
  ])('closes the connection and says so: %s', async (_case, bytes) => {
    const log = silentLog()
    startLink(() => 'close', log)
    const panel = await fakePanel()
    await vi.waitFor(() => expect(panel.received).toHaveLength(1))
    const [connection] = panel.connections
    const closed = new Promise((resolve) => connection?.once('close', resolve))

    connection?.write(bytes)

    await closed
    expect(log.warn).toHaveBeenCalledOnce()
  })

  it('does not let a panel that breaks the protocol again and again fill the log', async () => {
    const log = silentLog()
    startLink(() => 'close', log)
    let dialled = 0
    const server = createServer((connection) => {
      dialled++
      connection.on('error', () => {})
      connection.write(encodeFrame({ n: dialled }))
    })
    open.push(() => void server.close())
    await new Promise<void>((resolve) => server.listen(path, resolve))
    while (dialled < 50) {
      renameSync(path, `${path}.aside`) // its appearing makes the agent dial at once
      renameSync(`${path}.aside`, path)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }

    expect(log.info.mock.calls.length + log.warn.mock.calls.length).toBeLessThanOrEqual(20)
  })

  it('does not dial a socket of somebody else', async () => {
    startLink(() => 'ok', silentLog(), uid + 1)
    const panel = await fakePanel()

    await new Promise((resolve) => setTimeout(resolve, 400))

    expect(panel.connections).toEqual([])
  })
})

process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
