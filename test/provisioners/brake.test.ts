/** The blast brake, and the one way past it. */
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { approve } from '../../src/agent/rescue/approve.ts'
import type { BrakeKind } from '../../src/contract/job.ts'
import { Bench, type Given, newId, plenty } from './bench.ts'
import { scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
const few = { ...plenty, deletes: 2, restores: 1 }
let budgets = few
const health = async () => ({ at: '' }) as never // only what the engine adds is looked at

beforeEach(async () => {
  budgets = few
  bench = await Bench.make()
  await bench.engine.close()
  await bench.start(bench.machine(), { budgets: () => budgets, health })
  await send('tenant.create', { tenant, name: 'acme', limits })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await bench.engine.close()
  bench.remove()
})

const { limits } = scenarios['tenant.create'].payload
/** Of a tenant that is there, so that it is accepted and then fails. */
const purge = () => send('tenant.purge', { tenant })

/** `held` or `finished`, whatever is said first. */
async function send(type: string, payload: object, given: Given = {}): Promise<string> {
  const message = bench.job(type, payload, given)
  bench.messages.length = 0
  bench.engine.handle(message)
  const said = await bench.until((one) => (one.t === 'held' || one.t === 'finished') && one.job === message.job)
  return said.t
}

async function brakes() {
  const { value } = await bench.ask({ t: 'inspect', what: 'health' })
  return (value as { brakes: unknown[] }).brakes
}

function approved(kind: BrakeKind, count: number, minutes = 60) {
  return approve(bench.places, { do: 'approve', kind, count, minutes })
}

function events(name: string): object[] {
  const lines = readFileSync(join(bench.places.agentState, 'audit.log'), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line).agent).filter((agent) => agent?.event === name)
}

it('holds what is above the budget of an hour, and nothing else', async () => {
  expect([await purge(), await purge(), await purge()]).toEqual(['finished', 'finished', 'held'])
  expect(await send('tenant.suspend', { tenant })).toBe('finished')
  expect((await brakes()).slice(0, 2)).toEqual([
    { kind: 'deletes', used: 2, limit: 2, approved: 0, waiting: 1 },
    { kind: 'restores', used: 0, limit: 1, approved: 0, waiting: 0 },
  ])
  expect(events('brake.held')).toMatchObject([{ type: 'tenant.purge', kind: 'deletes', limit: 2 }])
})

it('counts restores on their own', async () => {
  const restore = () => send('tenant.restore', { tenant })
  await purge()
  await purge()

  expect([await restore(), await restore()]).toEqual(['finished', 'held'])
})

it('remembers the hour over a restart', async () => {
  await purge()
  await purge()
  await bench.engine.close()
  await bench.start(bench.machine(), { budgets: () => budgets, health })

  expect(await purge()).toBe('held')
})

it('lets through as many as root approves, and writes down that root did', async () => {
  await purge()
  await purge()
  const job = newId()
  expect(await send('tenant.purge', { tenant }, { job })).toBe('held')

  await approved('restores', 9)
  expect(await send('tenant.purge', { tenant }, { job })).toBe('held')
  await approved('deletes', 2)

  expect(await send('tenant.purge', { tenant }, { job })).toBe('finished')
  expect([await purge(), await purge()]).toEqual(['finished', 'held'])
  expect(events('brake.held')).toHaveLength(2)
  expect(events('brake.approved')).toMatchObject([{ kind: 'deletes', count: 2 }])
})

it('lets nothing through by an approval that is over, or is of somebody else', async () => {
  await purge()
  await purge()
  const file = join(bench.places.approvals, 'deletes.json')
  await approved('deletes', 5)
  const good = readFileSync(file, 'utf8')
  const past = { ...JSON.parse(good), from: '2020-01-01T00:00:00.000Z', until: '2020-01-01T01:00:00.000Z' }
  const spoiled: (() => void)[] = [
    () => writeFileSync(file, JSON.stringify(past)),
    () => writeFileSync(file, JSON.stringify({ ...JSON.parse(good), kind: 'restores' })),
    () => writeFileSync(file, JSON.stringify({ ...JSON.parse(good), count: 1e9 })),
    () => writeFileSync(file, 'yes'),
    () => chmodSync(file, 0o622),
    () => chownSync(file, 990, 990),
  ]
  for (const spoil of spoiled) {
    await approved('deletes', 5)
    spoil()
    expect(await purge()).toBe('held')
  }
  await approved('deletes', 5)
  expect(await purge()).toBe('finished')
})

it('remembers a thousand jobs that wait, and none that was not asked for again in two minutes', async () => {
  await purge()
  await purge()
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const waiting = async () => (await brakes()).map((one) => (one as { waiting: number }).waiting)
  for (let sent = 0; sent < 1001; sent++) bench.engine.handle(bench.job('tenant.purge', { tenant }))

  expect(await waiting()).toEqual([1000, 0, 0, 0, 0, 0])
  now = 120_000
  expect(await waiting()).toEqual([1000, 0, 0, 0, 0, 0])
  now = 120_001
  expect(await waiting()).toEqual([0, 0, 0, 0, 0, 0])
})

it('has no say in what was accepted before', async () => {
  const job = newId()
  const unknown = newId()
  await send('tenant.purge', { tenant: unknown }, { job, token: 7 })
  await purge()
  expect(await purge()).toBe('held')

  expect(await send('tenant.purge', { tenant: unknown }, { job, token: 7 })).toBe('finished')
  expect(await send('tenant.purge', { tenant: unknown }, { token: 8 })).toBe('held')
})

it('goes by the configuration that is in force', async () => {
  await purge()
  await purge()
  budgets = { ...budgets, deletes: 3 }

  expect([await purge(), await purge()]).toEqual(['finished', 'held'])
})

it('writes down that it holds, however many malformed and refused jobs came before', async () => {
  await purge()
  await purge()
  const job = newId()
  for (let sent = 0; sent < 700; sent++) {
    bench.engine.handle(bench.job('tenant.purge', { tenant: 'x' }))
    bench.engine.handle(bench.job('tenant.suspend', { tenant }, { token: 1 }))
  }

  expect(await send('tenant.purge', { tenant }, { job })).toBe('held')

  expect(events('brake.held')).toMatchObject([{ job }])
  expect(events('job.refused')).toHaveLength(60 + 300)
})

describe('shares of a budget', () => {
  const other = newId()
  const third = newId()
  const seller = newId()
  /** Which of so many are held, in their order. */
  async function heldOf(count: number, type: string, payload: object, given: Given = {}): Promise<number> {
    let held = 0
    for (let sent = 0; sent < count; sent++) if ((await send(type, payload, given)) === 'held') held++
    return held
  }

  beforeEach(async () => {
    budgets = { ...plenty, deletes: 20 }
    await send('tenant.create', { tenant: other, name: 'other', limits })
    await send('tenant.create', { tenant: third, name: 'third', limits })
  })

  const loop = (of: string, count: number, given: Given = {}) =>
    heldOf(count, 'domain.delete', { tenant: of, domain: newId() }, { staff: false, ...given })

  it("one customer's loop takes a fifth, and leaves staff and the others theirs", async () => {
    expect(await loop(tenant, 10)).toBe(6)
    expect(await loop(other, 2)).toBe(0)
    expect(await heldOf(1, 'domain.delete', { tenant, domain: newId() })).toBe(0)
    expect(events('brake.held')).toMatchObject(Array(6).fill({ share: 'tenant' }))
  })

  it("a reseller's customers together take half", async () => {
    const took = []
    for (const of of [tenant, other, third]) took.push(4 - (await loop(of, 4, { reseller: seller })))

    expect(took).toEqual([4, 4, 2])
    expect(await loop(third, 1)).toBe(0)
    expect(events('brake.held')).toMatchObject(Array(2).fill({ share: 'reseller' }))
  })

  it('all customers together leave a fifth to staff and root', async () => {
    const names = ['fourth', 'fifth'].map((name) => ({ tenant: newId(), name, limits }))
    for (const one of names) await send('tenant.create', one)
    let took = 0
    for (const of of [tenant, other, third, ...names.map((one) => one.tenant)]) took += 4 - (await loop(of, 4))

    expect(took).toBe(16)
    expect(await heldOf(5, 'domain.delete', { tenant, domain: newId() })).toBe(1)
  })

  it('what is not on this machine counts as one tenant, whoever is said to ask', async () => {
    let held = 0
    for (let sent = 0; sent < 10; sent++) if ((await send('tenant.purge', { tenant: newId() })) === 'held') held++

    expect(held).toBe(6)
    expect(events('brake.held').at(-1)).toMatchObject({ share: 'unknown' })
  })

  it("the panel's word that staff asks gains nothing above the whole", async () => {
    expect(await heldOf(30, 'domain.delete', { tenant, domain: newId() }, { staff: true })).toBe(10)
    expect(events('brake.held').at(-1)).toMatchObject({ share: 'machine' })
  })
})

/** Every kind, by the cheapest job of it. */
it.each([
  [
    'creates',
    'tenant.create',
    () => ({ tenant: newId(), name: `t${newId().replaceAll('-', '').slice(0, 9)}`, limits }),
  ],
  ['suspensions', 'tenant.suspend', () => ({ tenant })],
  ['changes', 'tenant.limit', () => ({ tenant, limits })],
  ['changes', 'tenant.unsuspend', () => ({ tenant })],
  ['runs', 'cron.run', () => ({ tenant, cron: newId(), domain: newId(), run: newId(), command: ['true'], seconds: 1 })],
] as const)('brakes %s: %s', async (kind, type, payload) => {
  const accepted = kind === 'creates' ? 1 : 0 // the tenant above
  budgets = { ...plenty, [kind]: accepted + 2 }

  expect([await send(type, payload()), await send(type, payload()), await send(type, payload())]).toEqual([
    'finished',
    'finished',
    'held',
  ])
})

it('ignores an approval unless every other bit of its mode is off', async () => {
  await purge()
  await purge()
  const file = join(bench.places.approvals, 'deletes.json')
  for (let bit = 0o001; bit <= 0o040; bit <<= 1) {
    await approved('deletes', 5)
    chmodSync(file, 0o600 | bit)
    expect(await purge(), bit.toString(8)).toBe('held')
  }
})
