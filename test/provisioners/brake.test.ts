/** The blast brake, and the one way past it. */
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { approve } from '../../src/agent/rescue/rescue-approve.ts'
import type { BrakeKind } from '../../src/contract/job.ts'
import { Bench, newId } from './bench.ts'
import { scenarios, tenant } from './scenarios.ts'

let bench: Bench
let budgets = { deletes: 2, restores: 1 }
const health = async () => ({ at: '' }) as never // only what the engine adds is looked at

beforeEach(async () => {
  budgets = { deletes: 2, restores: 1 }
  bench = await Bench.make()
  await bench.engine.close()
  await bench.start(bench.machine(), { budgets: () => budgets, health })
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const purge = () => send('tenant.purge', { tenant: newId() })

/** `held` or `finished`, whatever is said first. */
async function send(type: string, payload: object, given: { job?: string; token?: number } = {}): Promise<string> {
  const job = given.job ?? newId()
  bench.messages.length = 0
  bench.engine.handle({ t: 'job', job, type, token: given.token ?? bench.nextToken(), payload })
  const said = await bench.until((one) => (one.t === 'held' || one.t === 'finished') && one.job === job)
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
  expect(await send('tenant.create', scenarios['tenant.create'].payload)).toBe('finished')
  expect(await brakes()).toEqual([
    { kind: 'deletes', used: 2, limit: 2, approved: 0, waiting: 1 },
    { kind: 'restores', used: 0, limit: 1, approved: 0, waiting: 0 },
  ])
  expect(events('brake.held')).toMatchObject([{ type: 'tenant.purge', kind: 'deletes', limit: 2 }])
})

it('counts restores on their own', async () => {
  const restore = () => send('tenant.restore', { tenant: newId() })
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
  expect(await send('tenant.purge', { tenant }, { job, token: 50 })).toBe('held')

  await approved('restores', 9)
  expect(await send('tenant.purge', { tenant }, { job, token: 50 })).toBe('held')
  await approved('deletes', 2)

  expect(await send('tenant.purge', { tenant }, { job, token: 50 })).toBe('finished')
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

it('has no say in what was accepted before', async () => {
  const job = newId()
  const unknown = newId()
  await send('tenant.purge', { tenant: unknown }, { job, token: 7 })
  await purge()
  expect(await purge()).toBe('held')

  expect(await send('tenant.purge', { tenant: unknown }, { job, token: 7 })).toBe('finished')
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
  const malformed = { t: 'job', type: 'tenant.purge', token: 1, payload: { tenant: 'x' } }
  for (let sent = 0; sent < 1000; sent++) bench.engine.handle({ ...malformed, job: newId() })
  await send('tenant.create', scenarios['tenant.create'].payload, { token: 9 })
  for (let sent = 0; sent < 1000; sent++) await send('tenant.suspend', { tenant }, { token: 1 })

  expect(await send('tenant.purge', { tenant: newId() }, { job, token: 2 })).toBe('held')

  expect(events('brake.held')).toMatchObject([{ job }])
  expect(events('job.refused')).toHaveLength(60 + 300)
})
