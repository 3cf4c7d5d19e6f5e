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
import { answerWakes, WakeAnswers } from './wake.ts'

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const start: FpmStart = { name: 'acme' as TenantName, uid: 20000, gid: 20000, php: '8.4', limits }
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

function lookup(host: Fqdn): HostLookup {
  if (host === 'shop.example.com') return { kind: 'php', start }
  if (host === 'paused.example.com') return { kind: 'suspended' }
  return { kind: host === 'plain.example.com' ? 'static' : 'unknown' }
}

describe('answers to the waker', () => {
  it.each([
    ['shop.example.com', { ok: 'shop.example.com' }],
    ['paused.example.com', { refused: 'paused.example.com', reason: 'suspended', retryAfter: 3600 }],
    ['plain.example.com', { refused: 'plain.example.com', reason: 'static', retryAfter: 0 }],
    ['other.example.com', { refused: 'other.example.com', reason: 'unknown', retryAfter: 0 }],
    ['not-a-host', { refused: 'not-a-host', reason: 'unknown', retryAfter: 0 }],
    ['10.0.0.1', { refused: '10.0.0.1', reason: 'unknown', retryAfter: 0 }],
  ])('for %s', async (host, answer) => {
    const startFpm = vi.fn(async () => {})

    expect(await new WakeAnswers({ services: { startFpm }, lookup, log }).answer(host)).toEqual(answer)
    expect(startFpm).toHaveBeenCalledTimes('ok' in answer ? 1 : 0)
  })

  it('tries a PHP that does not start again after 2, 4, 8 seconds, and begins anew when it has started', async () => {
    let now = 0
    let isBroken = true
    const startFpm = vi.fn(async () => {
      if (isBroken) throw new Error('no memory')
    })
    const answers = new WakeAnswers({ services: { startFpm }, lookup, log, now: () => now })
    const retryAfter = async () => {
      const answer = await answers.answer('shop.example.com')
      return 'refused' in answer ? answer.retryAfter : 0
    }

    expect([await retryAfter(), await retryAfter()]).toEqual([2, 2])
    expect(startFpm).toHaveBeenCalledTimes(1)
    now = 2000
    expect([await retryAfter(), await retryAfter()]).toEqual([4, 4])
    now = 6000
    isBroken = false
    expect(await retryAfter()).toBe(0)
    isBroken = true
    expect(await retryAfter()).toBe(2)
    expect(startFpm).toHaveBeenCalledTimes(4)
  })

  it('starts only so many tenants at once', async () => {
    const release: (() => void)[] = []
    const startFpm = vi.fn(() => new Promise<void>((resolve) => void release.push(resolve)))
    const answers = new WakeAnswers({ services: { startFpm }, lookup, log, parallel: 2 })

    const all = Promise.all([1, 2, 3].map(() => answers.answer('shop.example.com')))
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(2))
    release[0]?.()
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(3))
    for (const go of release) go()

    expect(await all).toHaveLength(3)
  })

  it('does not start what was suspended while it waited for its turn', async () => {
    let isSuspended = false
    const begun = Promise.withResolvers<void>()
    const startFpm = vi.fn(() => begun.promise)
    const now: typeof lookup = (host) => (isSuspended ? { kind: 'suspended' } : lookup(host))
    const answers = new WakeAnswers({ services: { startFpm }, lookup: now, log, parallel: 1 })

    const [first, second] = [answers.answer('shop.example.com'), answers.answer('shop.example.com')]
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(1))
    isSuspended = true
    begun.resolve()

    expect(await first).toEqual({ ok: 'shop.example.com' })
    expect(await second).toMatchObject({ reason: 'suspended' })
    expect(startFpm).toHaveBeenCalledTimes(1)
  })

  it('turns questions away when thousands wait already', async () => {
    const startFpm = vi.fn(() => new Promise<void>(() => {}))
    const answers = new WakeAnswers({ services: { startFpm }, lookup, log, parallel: 1 })
    for (let n = 0; n < 2001; n++) void answers.answer('shop.example.com')

    expect(await answers.answer('shop.example.com')).toMatchObject({ reason: 'busy' })
  })
})

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
    const agent = answerWakes({ socket: agentSocket(), ownerUid, services: { startFpm }, lookup, log })
    closers.push(agent)
    return agent
  }
  const connectWaker = async () => {
    const waker = await startWaker(wakeSocket(), agentSocket())
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
