import { expect, it, vi } from 'vitest'
import type { TenantLimits, TenantName } from '../../contract/values.ts'
import { mostCreditMs, WakeBursts } from './wake-burst.ts'

const acme = 'acme' as TenantName
const small: TenantLimits = { cpuPct: 20, memMb: null, pids: null, ioMbps: null, diskMb: null }

/** `busy`: the part of what it may use that the tenant uses; it serves until `served`. */
function machine(busy: number, served: number) {
  const state = { now: 0, cpu: 0, quota: 20, quotas: [] as (number | null)[], notes: [] as boolean[], served }
  const over: (() => void)[] = []
  const bursts: WakeBursts = new WakeBursts({
    apply: async (tenant) => {
      state.quota = bursts.limitsOf(tenant, small).cpuPct ?? Number.POSITIVE_INFINITY
      state.quotas.push(state.quota)
      if (state.quota === 20) for (const tell of over.splice(0)) tell()
    },
    cpuMs: () => state.cpu,
    isServing: () => state.now < state.served,
    note: (_, isRaised) => void state.notes.push(isRaised),
    sleep: async (ms) => {
      state.now += ms
      state.cpu += (ms * busy * state.quota) / 100
    },
    now: () => state.now,
    failed: vi.fn(),
  })
  const wake = async () => {
    const ended = new Promise<void>((resolve) => void over.push(resolve))
    const [began, before] = [state.now, state.cpu]
    await bursts.begin(acme, small)
    await ended
    return { ms: state.now - began, cpu: state.cpu - before }
  }
  return { state, wake, bursts }
}

it('gives a small package a whole processor until its first answer, and its own quota after that', async () => {
  const { state, wake } = machine(0.5, 5000)

  expect(await wake()).toEqual({ ms: 5000, cpu: 2500 })
  expect(state.quotas).toEqual([100, 20])
  await vi.waitFor(() => expect(state.notes).toEqual([true, false]))
})

it('ends when the saved-up processor time is used, however long the first answer takes', async () => {
  const { wake } = machine(1, 60_000)

  expect((await wake()).cpu).toBe(mostCreditMs)
})

it('cannot be farmed by waking again and again', async () => {
  const { state, wake } = machine(1, Number.POSITIVE_INFINITY)
  let extra = 0

  while (state.now < 3_600_000) {
    extra += (await wake()).cpu
    state.now += 5000 // asleep
  }

  // what five minutes of sleep save up, twelve times an hour, and the first one
  expect(extra).toBeLessThan(mostCreditMs * 13 * 1.1)
})

it('leaves a package of a processor and more alone', async () => {
  const { state, bursts } = machine(1, 5000)

  await bursts.begin(acme, { ...small, cpuPct: 100 })

  expect(state.notes).toEqual([])
  expect(bursts.limitsOf(acme, { ...small, cpuPct: 100 }).cpuPct).toBe(100)
})
