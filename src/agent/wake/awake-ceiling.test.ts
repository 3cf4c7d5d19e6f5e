import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Fqdn, TenantName } from '../../contract/values.ts'
import { Wakes } from '../../waker/wakes.ts'
import type { FpmStart } from '../os/services.ts'
import { WakeAnswers } from './wake-answers.ts'
import { IdleReaper } from './wake-reaper.ts'

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
const mb = 1024 * 1024
const ceiling = { memoryBytes: 500 * mb, tasks: 10_000, leastAvailableBytes: 0 }
const ofOne = { memoryBytes: 20 * mb, tasks: 3 }

beforeEach(() => void vi.clearAllMocks())

/** Waker, agent and reaper as they are, above a machine whose PHP takes 20 MB, 10 ms to start and 5 ms to stop. */
function machine() {
  const state = { now: 0, mostAwake: 0, stopped: [] as string[], awake: new Map<TenantName, number>() }
  const busy = new Set<TenantName>()
  const take = async (ms: number) => {
    state.now += ms
  }
  const services = {
    startFpm: async ({ name }: FpmStart) => {
      await take(10)
      state.awake.set(name, 0)
      state.mostAwake = Math.max(state.mostAwake, state.awake.size)
    },
    stopFpm: async (tenant: TenantName) => {
      await take(5)
      state.stopped.push(tenant)
      state.awake.delete(tenant)
    },
    awakeFpm: async () =>
      [...state.awake].map(([tenant, work]) => ({
        tenant,
        pool: tenant,
        isServing: busy.has(tenant),
        work: `${work}`,
        isOutdated: false,
      })),
    crowd: async () => ({
      memoryBytes: state.awake.size * ofOne.memoryBytes,
      tasks: state.awake.size * ofOne.tasks,
      availableBytes: 1,
    }),
  }
  const now = () => state.now
  const reaper = new IdleReaper({ services, log, ceiling, idleSeconds: 300, now, pause: take })
  const lookup = (host: Fqdn) => {
    const name = (host.split('.')[1] ?? '') as TenantName
    return { kind: 'php' as const, start: { name, uid: 20_000, gid: 20_000, php: '8.4', limits } }
  }
  const answers = new WakeAnswers({ services, lookup, makeRoom: () => reaper.makeRoom(), log, now })
  const wakes: Wakes = new Wakes({
    ask: async (host) => wakes.answer(await answers.answer(host)),
    tenantOf: (host) => host.split('.')[1] ?? '',
    patienceMs: 60_000,
    maxHosts: 2000,
    ofTenant: { maxHosts: 32, maxRequests: 512 },
  })
  /** A request of a visitor: wakes what sleeps and leaves its mark on what is awake. */
  const visit = async (tenant: string) => {
    const name = tenant as TenantName
    if (!state.awake.has(name) && (await wakes.request(`www.${tenant}.test`)).status !== 200) return 503
    state.awake.set(name, (state.awake.get(name) ?? 0) + 1)
    return 200
  }
  return { state, busy, reaper, visit }
}

describe('below a ceiling for about twenty', () => {
  it('500 tenants woken at once are all answered, and never more are awake than fit', async () => {
    const { state, visit } = machine()

    const statuses = await Promise.all(Array.from({ length: 500 }, (_, n) => visit(`tenant${n}`)))

    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(state.mostAwake * ofOne.memoryBytes).toBeLessThanOrEqual(ceiling.memoryBytes)
    expect(state.stopped.length).toBeGreaterThan(470)
    expect(log.warn.mock.calls.length).toBeLessThan(5)
  })

  it('what is visited stays awake, and what rests longest goes first', async () => {
    const { state, visit } = machine()
    await visit('shop')

    for (let n = 0; n < 500; n++) {
      await visit(`tenant${n}`)
      if (n % 4 === 0) await visit('shop')
    }

    expect(state.stopped).not.toContain('shop')
    expect(state.stopped[0]).toBe('tenant0')
    expect(Number(state.stopped.at(-1)?.slice('tenant'.length))).toBeGreaterThan(450)
  })

  it('a wake is told to come again when everything awake serves, and nothing of that is stopped', async () => {
    const { state, busy, visit } = machine()
    let answered = 0
    for (let n = 0; n < 30; n++) {
      if ((await visit(`tenant${n}`)) === 200) answered++
      busy.add(`tenant${n}` as TenantName)
    }

    expect(answered).toBeGreaterThan(15)
    expect(answered).toBeLessThan(26)
    expect(state.stopped).toEqual([])
  })

  it('what grew too large after it was woken sends away what rests, without a wake', async () => {
    const { state, reaper, visit } = machine()
    for (let n = 0; n < 10; n++) await visit(`tenant${n}`)
    await reaper.look()
    state.now += 1000
    for (let n = 100; n < 115; n++) state.awake.set(`tenant${n}` as TenantName, 0) // as memory that the ten did not have

    await reaper.look()

    expect(state.stopped.length).toBeGreaterThan(0)
    expect(state.awake.size * ofOne.memoryBytes).toBeLessThan(0.9 * ceiling.memoryBytes)
  })
})
