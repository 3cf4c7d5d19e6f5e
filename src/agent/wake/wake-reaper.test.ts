import { describe, expect, it, vi } from 'vitest'
import type { TenantName } from '../../contract/values.ts'
import type { FpmPool } from '../os/fpm-pool.ts'
import type { AwakeFpm } from '../os/services.ts'
import { IdleReaper } from './wake-reaper.ts'

const acme = 'acme' as TenantName
const other = 'other' as TenantName
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

const ceiling = { memoryBytes: 2 ** 40, tasks: 10_000, leastAvailableBytes: 0 }

function atRest(tenant: TenantName): AwakeFpm {
  return { tenant, pool: tenant, isServing: false, work: '8:1', isOutdated: false }
}

function machine() {
  const state = { now: 0, awake: [] as AwakeFpm[], stopped: [] as FpmPool[] }
  const services = {
    awakeFpm: async () => state.awake,
    stopFpm: vi.fn(async (pool: FpmPool) => void state.stopped.push(pool)),
    crowd: async () => ({ memoryBytes: 0, tasks: 0, availableBytes: 1 }),
  }
  return { state, services, reaper: new IdleReaper({ services, log, ceiling, idleSeconds: 60, now: () => state.now }) }
}

describe('the idle reaper', () => {
  it('stops a master that was idle all the time, also one that an earlier agent started', async () => {
    const { state, reaper } = machine()
    state.awake = [atRest(acme)]
    for (state.now = 0; state.now < 60_000; state.now += 5000) await reaper.look()
    expect(state.stopped).toEqual([])

    await reaper.look()

    expect(state.stopped).toEqual([acme])
  })

  it.each([
    ['that is seen', (beat: number): AwakeFpm => ({ ...atRest(acme), isServing: beat === 0 })],
    ['between two looks', (_: number, round: number): AwakeFpm => ({ ...atRest(acme), work: `8:${round}` })],
  ])('counts anew after a request %s', async (_, at) => {
    const { state, reaper } = machine()
    for (state.now = 0; state.now <= 300_000; state.now += 5000) {
      state.awake = [at(state.now % 30_000, Math.floor(state.now / 30_000))]
      await reaper.look()
    }
    expect(state.stopped).toEqual([])
  })

  it('stops one whose settings have changed as soon as it rests, and not before', async () => {
    const { state, reaper } = machine()
    state.awake = [{ ...atRest(acme), isOutdated: true, isServing: true }]
    await reaper.look()
    expect(state.stopped).toEqual([])
    state.awake = [{ ...atRest(acme), isOutdated: true }]

    await reaper.look()

    expect(state.stopped).toEqual([acme])
  })

  it('does not stop a request that takes its time, whose worker sleeps', async () => {
    const { state, reaper } = machine()
    state.awake = [{ ...atRest(acme), isServing: true }]
    for (state.now = 0; state.now <= 200_000; state.now += 5000) await reaper.look()

    expect(state.stopped).toEqual([])
  })

  it('goes on with the others when one does not stop', async () => {
    const { state, services, reaper } = machine()
    services.stopFpm.mockRejectedValueOnce(new Error('stuck'))
    state.awake = [atRest(acme), atRest(other)]
    await reaper.look()
    state.now = 60_000

    await reaper.look()

    expect(state.stopped).toEqual([other])
    expect(log.error).toHaveBeenCalledWith(expect.objectContaining({ tenant: acme }), 'idle PHP did not stop')
  })
})
