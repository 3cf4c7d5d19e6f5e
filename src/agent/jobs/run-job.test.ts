/** What a job promises of each of its steps, and in which order its end is written. */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { Id } from '../../contract/values.ts'
import type { AgentMessage } from '../../contract/wire.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { RunLeft } from '../os/run-as/run-left.ts'
import type { Step } from '../steps/step.ts'
import { Journal, type JournaledJob } from './journal.ts'
import { Turn } from './lanes.ts'
import { migrateAgent } from './migrate-agent.ts'
import { agentMigrations } from './migrations/index.ts'
import { finishedEvent, runJob, type Workshop } from './run-job.ts'

const given = vi.hoisted(() => ({ steps: [] as unknown[] }))

vi.mock('../kinds/index.ts', async () => {
  const { jobContracts } = await import('../../resources/jobs.ts')
  const provisioner = {
    contract: jobContracts['tenant.suspend'],
    target: async () => null,
    reserve() {},
    release: () => given.steps.push('released'),
    settle: () => given.steps.push('settled'),
    steps: () => given.steps.filter((one) => typeof one === 'object'),
  }
  return { provisioners: { 'tenant.suspend': provisioner } }
})
afterEach(() => {
  given.steps = []
})

let database: Database

/** @returns what was done, in its order, the end that was told, and the state of the job in the journal */
async function run(steps: readonly (Partial<Step> & { name: string })[]) {
  database = openDatabase(':memory:')
  migrateAgent(database, agentMigrations)
  const journal = new Journal(database)
  const done: string[] = []
  given.steps = steps.map((one) => {
    let isApplied = false
    return {
      check: async () => (isApplied ? undefined : { action: 'change', diff: null }),
      capture: async () => null,
      undo: async () => void done.push(`undo ${one.name}`),
      ...one,
      apply: async () => {
        done.push(`apply ${one.name}, captured ${journal.captures(job).length}`)
        await one.apply?.({} as never, null)
        isApplied = true
      },
    }
  })
  const stateOf = () => journal.job(job.id)?.state ?? 'gone'
  const said: AgentMessage[] = []
  const problems: (string | null)[] = []
  const shop = {
    world: { machine: {}, registry: {} },
    journal,
    log: { info() {}, warn() {}, error() {} },
    audit: {
      note({ event, problem }: { event: string; problem: string | null }) {
        done.push(`audit ${event} while ${stateOf()}`)
        problems.push(problem)
      },
    },
    emit(message: AgentMessage) {
      said.push(message)
      if (message.t === 'finished') done.push(`told while ${stateOf()}`)
    },
    judging: new Turn(),
    heartbeatMs: 60_000,
    version: '0.0.0',
  } as unknown as Workshop // the steps here need nothing of a machine
  const tenant = Id.parse(randomUUID())
  const wish = { id: Id.parse(randomUUID()), type: 'tenant.suspend', resource: tenant, tenant, token: 1, epoch: 0 }
  const accepted = journal.accept(
    { ...wish, staff: true, reseller: null, payload: { tenant } },
    new Date().toISOString(),
    () => {},
  )
  if (accepted.verdict !== 'accepted') throw new Error(accepted.verdict)
  const { job } = accepted
  await runJob(job, shop)
  /** As it is before the next job of the tenant, and after a start. */
  async function again() {
    said.length = 0
    done.length = 0
    const now = journal.job(job.id)
    if (now) await runJob(now, shop)
    return { done, said, state: stateOf() }
  }
  return { done, said: [...said], problems, end: said.find((one) => one.t === 'finished'), state: stateOf(), again }
}

it('captures before it applies, and writes the audit note before the end and the end before it tells', async () => {
  const { done, end } = await run([{ name: 'one' }, { name: 'two' }])

  expect(end).toMatchObject({ failure: null })
  expect(done).toEqual([
    'apply one, captured 1',
    'apply two, captured 2',
    'audit job.finished while running',
    'told while succeeded',
  ])
})

it('fails where an apply changes nothing, and undoes what was done before, last first', async () => {
  const stays = async () => ({ action: 'change', diff: null }) as const
  const { done, end } = await run([{ name: 'one' }, { name: 'two', check: stays }])

  expect(end).toMatchObject({ failure: { step: 'two', message: expect.stringContaining('Cannot see that "two"') } })
  expect(done.filter((one) => one.startsWith('undo'))).toEqual(['undo two', 'undo one'])
  expect(done.slice(-2)).toEqual(['audit job.finished while undoing', 'told while failed'])
})

it('does not touch what holds already', async () => {
  const { done } = await run([{ name: 'one', check: async () => undefined }])

  expect(done).toEqual(['audit job.finished while running', 'told while succeeded'])
})

it('leaves a command that goes on without the agent to its next start', async () => {
  const left = () => Promise.reject(new RunLeft())
  const { done, end, state } = await run([{ name: 'one' }, { name: 'two', apply: left }])

  expect([end, state]).toEqual([undefined, 'running'])
  expect(done).toEqual(['apply one, captured 1', 'apply two, captured 2'])
})

it('ends nothing once the journal cannot be written, and says why', async () => {
  const breaks = async () => void database.close()

  await expect(run([{ name: 'one', apply: breaks }, { name: 'two' }])).rejects.toMatchObject({
    name: 'JournalBroken',
    message: expect.stringMatching(/^the journal failed in job [\da-f-]{36}$/),
    cause: expect.objectContaining({ message: 'The database connection is not open' }),
  })
})

it('that cannot be undone is stuck and told once, and ends when undoing succeeds', async () => {
  let undone = 0
  const undo = async () => {
    if (++undone <= 6) throw new Error('the disk is full')
  }
  const fails = () => Promise.reject(new Error('no room'))
  const stuck = await run([
    { name: 'one', undo },
    { name: 'two', apply: fails },
  ])

  const message =
    'Cannot bring about "two": no room; and then undoing failed: Cannot bring about "one": the disk is full'
  expect(stuck).toMatchObject({ state: 'stuck', problems: [message], end: { failure: { step: 'two', message } } })
  expect(stuck.done.slice(-2)).toEqual(['audit job.finished while undoing', 'told while stuck'])
  expect(undone).toBe(3)
  expect(stuck.said.filter(({ t }) => t === 'log')).toHaveLength(2)

  const same = await stuck.again()
  expect([same.state, undone, same.done, same.said.filter(({ t }) => t === 'finished')]).toEqual([
    'stuck',
    6,
    ['undo two'], // which is undone already
    [],
  ])

  const ended = await stuck.again()
  expect([ended.state, undone]).toEqual(['failed', 7])
  expect(ended.said.at(-1)).toMatchObject({ t: 'finished', failure: { step: 'two' } })
})

it('stops undoing once the journal is broken', async () => {
  const undo = () => Promise.reject(Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' }))
  const fails = () => Promise.reject(new Error('no room'))

  await expect(run([{ name: 'one', undo, apply: fails }])).rejects.toMatchObject({
    name: 'JournalBroken',
    cause: expect.objectContaining({ message: 'disk I/O error' }),
  })
})

it('takes a broken constraint for a refusal of the step', async () => {
  const fails = () => Promise.reject(Object.assign(new Error('not unique'), { code: 'SQLITE_CONSTRAINT_UNIQUE' }))
  expect((await run([{ name: 'one', apply: fails }])).state).toBe('failed')
})

it('is written down with what went wrong, in 500 characters at most', () => {
  const job = { id: 'a', type: 'tenant.suspend', token: 3 } as unknown as JournaledJob // all that is written
  const failure = (message: string) => ({ step: null, code: 'busy', message, help: '' }) as const
  const common = { event: 'job.finished', job: 'a', type: 'tenant.suspend', token: 3 }

  expect(finishedEvent(job, null)).toEqual({ ...common, code: null, problem: null })
  expect(finishedEvent(job, failure('Cannot'))).toEqual({ ...common, code: 'busy', problem: 'Cannot' })
  expect(finishedEvent(job, failure('x'.repeat(501)))).toMatchObject({ problem: 'x'.repeat(500) })
})
