import { describe, expect, it, vi } from 'vitest'
import type { Fqdn, TenantName } from '../../contract/values.ts'
import type { HostLookup } from '../jobs/engine-api.ts'
import type { FpmStart } from '../os/services.ts'
import { WakeAnswers, type WakeOptions } from './wake-answers.ts'

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const start: FpmStart = { name: 'acme' as TenantName, uid: 20000, gid: 20000, php: '8.4', limits }
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

/** `<any>.<tenant>.test` is a name of that tenant. */
function lookup(host: Fqdn): HostLookup {
  if (host === 'shop.example.com') return { kind: 'php', start }
  if (host === 'paused.example.com') return { kind: 'suspended' }
  const name = /\.([a-z0-9]+)\.test$/.exec(host)?.[1]
  if (name !== undefined) return { kind: 'php', start: { ...start, name: name as TenantName } }
  return { kind: host === 'plain.example.com' ? 'static' : 'unknown' }
}

function answersOf(options: Partial<WakeOptions> & Pick<WakeOptions, 'services'>): WakeAnswers {
  return new WakeAnswers({ lookup, log, makeRoom: async () => true, ...options })
}

/** Each start lasts until its tenant is released. */
function heldStarts() {
  const held = new Map<string, () => void>()
  const startFpm = vi.fn(({ name }: FpmStart) => new Promise<void>((resolve) => void held.set(name, resolve)))
  return { startFpm, release: (name: string) => held.get(name)?.() }
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

    expect(await answersOf({ services: { startFpm }, lookup, log }).answer(host)).toEqual(answer)
    expect(startFpm).toHaveBeenCalledTimes('ok' in answer ? 1 : 0)
  })

  it('tries a PHP that does not start again after 2, 4, 8 seconds, and begins anew when it has started', async () => {
    let now = 0
    let isBroken = true
    const startFpm = vi.fn(async () => {
      if (isBroken) throw new Error('no memory')
    })
    const answers = answersOf({ services: { startFpm }, lookup, log, now: () => now })
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
    const { startFpm, release } = heldStarts()
    const answers = answersOf({ services: { startFpm }, parallel: 2 })

    const all = Promise.all([1, 2, 3].map((n) => answers.answer(`www.tenant${n}.test`)))
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(2))
    release('tenant1')
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(3))
    for (const name of ['tenant2', 'tenant3']) release(name)

    expect(await all).toHaveLength(3)
  })

  it('takes one start for all names of a tenant, so that none of its slots is left to others', async () => {
    const { startFpm, release } = heldStarts()
    const answers = answersOf({ services: { startFpm }, parallel: 2 })

    const many = Promise.all(Array.from({ length: 20 }, (_, n) => answers.answer(`name${n}.greedy.test`)))
    const other = answers.answer('www.modest.test')
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(2))
    release('modest')

    expect(await other).toEqual({ ok: 'www.modest.test' })
    release('greedy')
    expect(await many).toEqual(Array.from({ length: 20 }, (_, n) => ({ ok: `name${n}.greedy.test` })))
    expect(startFpm).toHaveBeenCalledTimes(2)
  })

  it('lets the next tenant begin when a start takes long', async () => {
    const { startFpm, release } = heldStarts()
    const answers = answersOf({ services: { startFpm }, parallel: 1, slowAfterMs: 20 })

    const slow = answers.answer('www.slow.test')
    const next = answers.answer('www.next.test')
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(2))
    release('next')
    expect(await next).toEqual({ ok: 'www.next.test' })
    release('slow')

    expect(await slow).toEqual({ ok: 'www.slow.test' })
  })

  it('tells a visitor to come again when there is no room', async () => {
    const startFpm = vi.fn(async () => {})

    const answer = await answersOf({ services: { startFpm }, makeRoom: async () => false }).answer('www.acme.test')

    expect(answer).toEqual({ refused: 'www.acme.test', reason: 'busy', retryAfter: 5 })
    expect(startFpm).not.toHaveBeenCalled()
  })

  it('does not start what was suspended while it waited for its turn', async () => {
    let isSuspended = false
    const begun = Promise.withResolvers<void>()
    const startFpm = vi.fn(() => begun.promise)
    const now: typeof lookup = (host) => (isSuspended ? { kind: 'suspended' } : lookup(host))
    const answers = answersOf({ services: { startFpm }, lookup: now, log, parallel: 1 })

    const [first, second] = [answers.answer('shop.example.com'), answers.answer('shop.example.com')]
    await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(1))
    isSuspended = true
    begun.resolve()

    expect(await first).toEqual({ ok: 'shop.example.com' })
    expect(await second).toMatchObject({ reason: 'suspended' })
    expect(startFpm).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['of one tenant, and answers the others', 64, (n: number) => `name${n}.greedy.test`, 'ok'],
    ['in sum', 2000, (n: number) => `www.tenant${n}.test`, 'refused'],
  ])('turns questions away when too many wait %s', async (_, most, host, others) => {
    const { startFpm, release } = heldStarts()
    const answers = answersOf({ services: { startFpm } })
    for (let n = 0; n < most; n++) void answers.answer(host(n))

    expect(await answers.answer(host(most))).toMatchObject({ reason: 'busy' })
    const another = answers.answer('www.modest.test')
    if (others === 'ok') await vi.waitFor(() => expect(startFpm).toHaveBeenCalledTimes(2))
    release('modest')

    expect(await another).toHaveProperty(others)
  })
})
