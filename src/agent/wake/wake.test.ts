import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { get } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Fqdn, TenantName } from '../../contract/values.ts'
import { startWaker } from '../../waker/main.ts'
import type { HostLookup } from '../jobs/engine-api.ts'
import type { FpmStart } from '../os/services.ts'
import { answerWakes } from './wake.ts'

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const start: FpmStart = { name: 'acme' as TenantName, uid: 20000, gid: 20000, php: '8.4', limits }
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

function lookup(host: Fqdn): HostLookup {
  if (host === 'shop.example.com') return { kind: 'php', start }
  if (host === 'paused.example.com') return { kind: 'suspended' }
  return { kind: host === 'plain.example.com' ? 'static' : 'unknown' }
}

describe('agent and waker', () => {
  let directory: string
  let closers: { close(): void }[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'wcp-wake-'))
    closers = []
  })
  afterEach(() => {
    for (const one of closers) one.close()
    rmSync(directory, { recursive: true })
  })
  const wakeSocket = () => join(directory, 'wake.sock')
  const agentSocket = () => join(directory, 'agent.sock')
  const connectAgent = (startFpm = async () => {}, ownerUid = process.getuid?.() ?? 0) => {
    const agent = answerWakes({
      socket: agentSocket(),
      ownerUid,
      services: { startFpm },
      lookup,
      makeRoom: async () => true,
      log,
    })
    closers.push(agent)
    return agent
  }
  const connectWaker = async () => {
    const waker = await startWaker(wakeSocket(), agentSocket(), directory)
    closers.push(waker)
    return waker
  }

  function ask(path: string): Promise<{ status: number | undefined; to: string | string[] | undefined }> {
    return new Promise((resolve, reject) => {
      get({ socketPath: wakeSocket(), path, agent: false }, (response) => {
        response.resume()
        resolve({ status: response.statusCode, to: response.headers['x-accel-redirect'] })
      }).on('error', reject)
    })
  }

  it('find each other whoever comes first, and again after either was restarted', async () => {
    const first = connectAgent()
    const waker = await connectWaker()
    expect(await ask('/shop.example.com')).toEqual({ status: 200, to: '@php' })

    first.close()
    const asked = ask('/shop.example.com')
    await new Promise((resolve) => setTimeout(resolve, 50))
    connectAgent()
    expect(await asked).toEqual({ status: 200, to: '@php' })

    waker.close()
    await connectWaker()
    expect(await ask('/shop.example.com')).toEqual({ status: 200, to: '@php' })
  })

  it.each(['/', '/../etc/passwd', '/UPPER.example.com', '/a/b', `/${'x'.repeat(300)}.example.com`])(
    'answers 404 to %s without asking the agent',
    async (path) => {
      const startFpm = vi.fn(async () => {})
      connectAgent(startFpm)
      await connectWaker()

      expect(await ask(path)).toEqual({ status: 404, to: undefined })
      expect(startFpm).not.toHaveBeenCalled()
    },
  )

  it('does not dial a socket of somebody else, nor through a link', async () => {
    const dialled = vi.fn()
    const elsewhere = join(directory, 'elsewhere.sock')
    closers.push(createServer(dialled).listen(elsewhere))
    symlinkSync(elsewhere, agentSocket())
    connectAgent()
    await new Promise((resolve) => setTimeout(resolve, 200))
    unlinkSync(agentSocket())
    closers.push(createServer(dialled).listen(agentSocket()))
    for (const agent of closers.splice(0, 2)) agent.close()
    connectAgent(undefined, 12_345)
    await new Promise((resolve) => setTimeout(resolve, 200))

    expect(dialled).not.toHaveBeenCalled()
  })

  it('leaves a waker that breaks the grammar', async () => {
    const closed = Promise.withResolvers<void>()
    const evil: Server = createServer((socket) => {
      socket.on('close', () => closed.resolve())
      socket.on('error', () => {})
      socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
    }).listen(agentSocket())
    closers.push(evil)

    connectAgent()

    await closed.promise
  })
})
