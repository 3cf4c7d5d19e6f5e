/** The runner's states: what is sent when, what counts as stalled, and in which order news are stored and told. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobState } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'
import type { RunnableJob } from '../../resources/job/store.ts'
import { besideTypes, jobContracts } from '../../resources/jobs.ts'
import type { Hello, JobMessage } from './agent-link.ts'
import { type JobEvent, JobEventBus } from './job-events.ts'
import type { JobQueue } from './job-queue.ts'
import { JobRunner, type JobRunnerOptions } from './job-runner.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }))
afterEach(() => vi.useRealTimers())

const newId = () => Id.parse(randomUUID())
const failure: Failure = { code: 'machine_failed', message: 'Cannot do it', help: '', step: 'php pool' }
const timeoutMs = jobContracts['tenant.create'].timeoutSeconds * 1000
const [besideType = ''] = besideTypes

interface Stored extends RunnableJob {
  state: JobState
}

function runner(options: Partial<JobRunnerOptions> = {}) {
  const jobs = new Map<Id, Stored>()
  const sent: string[] = []
  const events: JobEvent[] = []
  const stored: string[] = []
  const warned: string[] = []
  const link = {
    readOnly: null as string | null,
    isAwake: true,
    answers: async () => link.isAwake,
    send: (message: { readonly t: string; readonly job?: Id }) => sent.push(`${message.t} ${message.job}`) > 0,
  }
  const inState = (job: Id, ...states: readonly JobState[]) => states.includes(jobs.get(job)?.state ?? 'failed')
  const move = (job: Id, from: readonly JobState[], state: JobState) => {
    const known = jobs.get(job)
    if (known === undefined || !inState(job, ...from)) return false
    known.state = state
    return true
  }
  const queue: JobQueue = {
    together: (work) => work(queue),
    runnable: async (limit) => [...jobs.values()].filter(({ state }) => state === 'queued').slice(0, limit),
    delivered: async (job) => inState(job, 'queued') && stored.push(`delivered ${job}`) > 0,
    held: async (job) => inState(job, 'queued') || move(job, ['stalled'], 'queued'),
    unfinished: async () => [...jobs.values()].filter(({ state }) => ['running', 'stalled'].includes(state)),
    find: async (job) => jobs.get(job),
    accepted: async (job) => move(job, ['queued', 'stalled'], 'running'),
    step: async (job, { index, state }) => void stored.push(`step ${index} ${state} ${job}`),
    log: async (job, line) => void stored.push(`log ${line} ${job}`),
    heartbeats: async (ids) => {
      for (const job of ids) {
        stored.push(`heartbeat ${job}`)
        move(job, ['stalled'], 'running')
      }
    },
    stalled: async (job) => move(job, ['running', 'queued'], 'stalled'),
    requeued: async () => {
      const unsent = [...jobs.values()].filter(
        ({ state, attempts, isBegun }) => state === 'stalled' && !attempts && !isBegun,
      )
      for (const job of unsent) job.state = 'queued'
      return unsent.map(({ id }) => id)
    },
    finished: async (job, _token, why) => move(job, ['queued', 'running', 'stalled'], why ? 'failed' : 'succeeded'),
  }
  const bus = new JobEventBus()
  bus.followAll((event) => events.push(event))
  const log = {
    warn: (_: unknown, text: string) => warned.push(text),
    error: (_: unknown, text: string) => warned.push(text),
  }
  const one = new JobRunner({ queue, link, events: bus, log: log as never, atOnce: () => 2, ...options })
  return {
    one,
    link,
    queue,
    sent,
    events,
    stored,
    warned,
    add(job: Partial<Stored> = {}): Id {
      const id = newId()
      const whole = { type: 'tenant.create', payload: {}, token: 1, epoch: 1, isStaff: true, resellerId: null }
      const rest = { kind: 'tenant', resourceId: id, attempts: 0, tenantId: newId(), state: 'queued' as const }
      jobs.set(id, { ...whole, ...rest, isBegun: (job.state ?? 'queued') !== 'queued', ...job, id })
      return id
    },
    stateOf: (job: Id) => jobs.get(job)?.state,
    cancel: (job: Id) => void jobs.delete(job),
    connect: (hello: Partial<Hello> = {}) =>
      one.connected({ readOnly: null, running: [], ...hello } as unknown as Hello),
    tell: (...messages: readonly Partial<JobMessage>[]) => one.told(messages as readonly JobMessage[]),
    sentJobs: () => sent.filter((line) => line.startsWith('job ')).map((line) => line.slice('job '.length)),
    states: () => events.flatMap((event) => (event.kind === 'state' ? [event.state] : [])),
  }
}

const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await settled()
}

describe('what is sent', () => {
  it('waits for a connection, and not for a lost one', async () => {
    const { one, add, connect, sentJobs } = runner()
    const first = add()
    one.wake()
    await settled()
    expect(sentJobs()).toEqual([])

    await connect()
    await settled()
    expect(sentJobs()).toEqual([first])

    one.gone()
    add()
    one.wake()
    await settled()
    expect(sentJobs()).toEqual([first])
  })

  it.each([
    { agent: 'takes jobs and runs neither', hello: {}, again: ['running', 'stalled'] },
    { agent: 'only inspects', hello: { readOnly: 'a newer database' }, again: [] },
    { agent: 'runs the first', hello: { running: ['running'] }, again: ['stalled'] },
  ])('again after a reconnect when the agent $agent: $again', async ({ hello, again }) => {
    const { add, connect, sentJobs } = runner()
    const jobs = new Map((['running', 'stalled'] as const).map((state) => [state as string, add({ state })]))
    const idsOf = (names: readonly string[]) => names.map((name) => jobs.get(name) as Id)

    await connect({ ...hello, running: idsOf((hello as { running?: string[] }).running ?? []) })
    await settled()

    expect(sentJobs()).toEqual(idsOf(again))
  })

  it('is nothing while the agent only inspects', async () => {
    const { add, connect, link, sentJobs, stored } = runner()
    link.readOnly = 'a newer database'
    add()

    await connect({ readOnly: link.readOnly })
    await settled()

    expect([sentJobs(), stored]).toEqual([[], []])
  })

  it('is one job of a tenant at a time, and as many tenants as may be', async () => {
    const { one, add, connect, tell, sentJobs } = runner()
    const [tenantId, other, third] = [newId(), newId(), newId()]
    const first = add({ tenantId })
    const second = add({ tenantId: other })
    await connect()
    await settled()
    const [sameTenant, last] = [add({ tenantId }), add({ tenantId: third })]
    one.wake()
    await settled()
    expect(sentJobs()).toEqual([first, second])

    await tell({ t: 'accepted', job: second, steps: [] })
    await tell({ t: 'finished', job: second, token: 1, failure: null })
    await settled()

    expect(sentJobs()).toEqual([first, second, last])
    expect(sentJobs()).not.toContain(sameTenant)
  })

  it('is beside the others what goes beside them, also of a busy tenant and when no place is left', async () => {
    const { add, connect, sentJobs, one } = runner({ atOnce: () => 1 })
    const tenantId = newId()
    const first = add({ tenantId })
    await connect()
    await settled()
    const beside = add({ tenantId, type: besideType })
    one.wake()
    await settled()
    const further = add()
    one.wake()
    await settled()

    expect(sentJobs()).toEqual([first, beside])
    expect(sentJobs()).not.toContain(further)
  })

  it('is all that goes beside the others at once, however many and whoever waits before them', async () => {
    const { add, connect, sentJobs } = runner({ atOnce: () => 1 })
    const tenantId = newId()
    const inTurn = [add({ tenantId }), add({ tenantId }), add({ tenantId })]
    const beside = Array.from({ length: 150 }, () => add({ type: besideType }))
    await connect()
    for (let turn = 0; turn < 60; turn++) await settled()

    expect(new Set(sentJobs())).toEqual(new Set([inTurn[0], ...beside]))
  })

  it('leaves its place to others while something that goes beside is under way', async () => {
    const { add, connect, sentJobs, one } = runner({ atOnce: () => 1 })
    const tenantId = newId()
    const beside = add({ tenantId, type: besideType })
    await connect()
    await settled()
    const next = add({ tenantId })
    one.wake()
    await settled()

    expect(sentJobs()).toEqual([beside, next])
  })

  it('is not what somebody has cancelled in between', async () => {
    const { add, connect, queue, sentJobs } = runner()
    const job = add()
    const { delivered } = queue
    Object.assign(queue, { delivered: async (id: Id) => id !== job && (await delivered(id)) })
    const kept = add()

    await connect()
    await settled()

    expect(sentJobs()).toEqual([kept])
  })

  it('is looked for once more when something is queued meanwhile, and after a failure', async () => {
    const { one, add, connect, queue, sentJobs, warned } = runner()
    const { runnable } = queue
    let turns = 0
    Object.assign(queue, {
      runnable: async (limit: number) => {
        if (++turns === 1) throw new Error('the store is away')
        return await runnable(limit)
      },
    })
    const job = add()
    await connect()
    one.wake()
    await settled()

    expect([turns, sentJobs(), warned]).toEqual([2, [job], ['queued jobs could not be sent']])
  })
})

describe('a job that the brake holds', () => {
  async function held(holdMs = 30_000) {
    const made = runner({ holdMs, tickMs: 1000 })
    const tenantId = newId()
    const job = made.add({ tenantId })
    await made.one.start()
    await made.connect()
    await settled()
    await made.tell({ t: 'held', job, reason: 'Waits' })
    await settled()
    return { ...made, job, tenantId }
  }

  it('is sent again when its time is over, not before, and nothing else of its tenant either', async () => {
    const { add, job, tenantId, sentJobs, one } = await held()
    const next = add({ tenantId })
    const other = add()
    one.wake()
    await settled()
    expect(sentJobs()).toEqual([job, other])

    await pass(28_000)
    expect(sentJobs()).toEqual([job, other])
    await pass(3000)
    expect(sentJobs()).toEqual([job, other, job])
    expect(sentJobs()).not.toContain(next)
    await one.stop()
  })

  it('is told of once, and anew when it was forgotten meanwhile', async () => {
    const { tell, job, stored, one, cancel } = await held(1000)
    await tell({ t: 'held', job, reason: 'Waits' })
    expect(stored.filter((line) => line.startsWith('log'))).toEqual([`log Waits ${job}`])
    await one.stop()

    const other = await held(1000)
    other.link.readOnly = 'resting' // so that it is not sent again
    await pass(13_000)
    await other.tell({ t: 'held', job: other.job, reason: 'Waits' })
    expect(other.stored.filter((line) => line.startsWith('log'))).toHaveLength(2)
    await other.one.stop()
    cancel(job)
  })

  it('leaves a place to others', async () => {
    const { add, job, sentJobs, one } = await held()
    const others = [add(), add()]
    one.wake()
    await settled()

    expect(sentJobs()).toEqual([job, ...others])
    await one.stop()
  })

  it('keeps nothing of its tenant waiting once its end is known', async () => {
    const { add, tell, job, tenantId, sentJobs, one } = await held()
    const next = add({ tenantId })

    await tell({ t: 'finished', job, token: 1, failure })
    await settled()

    expect(sentJobs()).toEqual([job, next])
    await one.stop()
  })

  it('and goes beside the others is not sent again either, and keeps nothing of its tenant waiting', async () => {
    const { add, connect, tell, one, sentJobs } = runner({ holdMs: 30_000, tickMs: 1000 })
    const tenantId = newId()
    const job = add({ tenantId, type: besideType })
    await one.start()
    await connect()
    await settled()
    await tell({ t: 'held', job, reason: 'Waits' })
    const next = add({ tenantId })

    await pass(28_000)
    expect(sentJobs()).toEqual([job, next])
    await pass(3000)
    expect(sentJobs()).toEqual([job, next, job])
    await one.stop()
  })

  it('stays under way when it was accepted before', async () => {
    const { add, connect, tell, one, sentJobs, events } = runner()
    const tenantId = newId()
    const job = add({ tenantId })
    await connect()
    await settled()
    await tell({ t: 'accepted', job, steps: [] })
    await tell({ t: 'held', job, reason: 'Waits' })
    add({ tenantId })
    one.wake()
    await settled()

    expect(sentJobs()).toEqual([job])
    expect(events.map(({ kind }) => kind)).toEqual(['steps', 'state'])
  })
})

describe('a job that is silent', () => {
  async function underway(options: Partial<JobRunnerOptions> = {}) {
    const made = runner({ stallAfterMs: 30_000, tickMs: 5000, ...options })
    const job = made.add({ state: 'running' })
    await made.one.start()
    return { ...made, job }
  }

  it.each([
    [25_000, 'running'],
    [30_000, 'stalled'],
  ])('for %d ms is %s', async (ms, state) => {
    const { one, job, stateOf, states, warned } = await underway()

    await pass(ms)

    expect([stateOf(job), states()]).toEqual([state, state === 'stalled' ? ['stalled'] : []])
    expect(warned).toEqual(state === 'stalled' ? ['a job has stalled'] : [])
    await one.stop()
  })

  it('is told of once', async () => {
    const { one, states } = await underway()

    await pass(60_000)

    expect(states()).toEqual(['stalled'])
    await one.stop()
  })

  it('is not told of when it has ended meanwhile', async () => {
    const { one, states, cancel, job } = await underway()
    cancel(job)

    await pass(60_000)

    expect(states()).toEqual([])
    await one.stop()
  })

  it.each(['heartbeat', 'step', 'accepted'] as const)('is led back by a word: %s', async (t) => {
    const { one, tell, job, stateOf, states } = await underway()
    await pass(30_000)
    one.heard(job)

    await tell({ t, job, index: 0, name: 'a', state: 'done', note: null, steps: [] } as never)

    expect(stateOf(job)).toBe('running')
    expect(states()).toEqual(['stalled', 'running'])
    await pass(20_000)
    expect(stateOf(job)).toBe('running')
    await pass(10_000)
    expect(states()).toEqual(['stalled', 'running', 'stalled'])
    await one.stop()
  })

  it('is not silent while it is heard, and its heartbeats are stored once a tick', async () => {
    const { one, tell, job, stateOf, stored } = await underway()
    for (let turn = 0; turn < 8; turn++) {
      one.heard(job)
      await tell({ t: 'heartbeat', job }, { t: 'heartbeat', job })
      await pass(5000)
    }
    await pass(10_000)

    expect(stateOf(job)).toBe('running')
    expect(stored).toEqual(Array.from({ length: 8 }, () => `heartbeat ${job}`))
    await one.stop()
  })

  it('is overdue after the time of its type although it is heard, also over reconnects, and no word leads it back', async () => {
    const { one, connect, tell, job, stateOf, states } = await underway()
    const beatUntil = async (ms: number) => {
      for (let at = 0; at < ms; at += 5000) {
        one.heard(job)
        await tell({ t: 'heartbeat', job })
        await pass(5000)
      }
    }
    await beatUntil(timeoutMs / 2)
    await connect({ running: [job] })
    await beatUntil(timeoutMs / 2)
    expect(stateOf(job)).toBe('running')

    await beatUntil(10_000)

    expect([stateOf(job), states()]).toEqual(['stalled', ['stalled']])
    await one.stop()
  })

  it('of a type that this version does not know is never overdue', async () => {
    const { one, add, connect, stateOf } = await underway()
    const job = add({ state: 'running', type: 'tenant.embellish' })
    await connect({ running: [job] })
    for (let at = 0; at < 4 * timeoutMs; at += 5000) {
      one.heard(job)
      await pass(5000)
    }

    expect(stateOf(job)).toBe('running')
    await one.stop()
  })

  it('is watched on when the store could not be reached', async () => {
    const { one, queue, job, stateOf, warned } = await underway()
    const { stalled } = queue
    let tries = 0
    Object.assign(queue, {
      stalled: (id: Id) => (++tries === 1 ? Promise.reject(new Error('the store is away')) : stalled(id)),
    })

    await pass(35_000)

    expect(warned).toEqual(['jobs could not be watched', 'a job has stalled'])
    expect(stateOf(job)).toBe('stalled')
    await one.stop()
  })
})

describe('a job that no agent takes', () => {
  const limits = { stallAfterMs: 30_000, tickMs: 5000 }

  it.each(['is away', 'is frozen', 'only inspects'])(
    'is stalled after its time while the agent %s, and sent when it is back',
    async (how) => {
      const { one, link, add, connect, stateOf, states, warned, sentJobs } = runner(limits)
      link.isAwake = how !== 'is frozen'
      link.readOnly = how === 'only inspects' ? 'a newer database' : null
      await one.start()
      if (how !== 'is away') await connect({ readOnly: link.readOnly })
      const job = add()
      await pass(30_000)
      expect(stateOf(job)).toBe('queued')
      await pass(5000)
      expect([stateOf(job), states(), sentJobs()]).toEqual(['stalled', ['stalled'], []])
      await pass(60_000)
      expect(warned).toEqual(['a job has stalled'])

      Object.assign(link, { isAwake: true, readOnly: null })
      if (how === 'is frozen') await pass(5000)
      else await connect()
      await settled()

      expect([sentJobs(), states()]).toEqual([[job], ['stalled', 'queued']])
      await one.stop()
    },
  )

  it('is not stalled when the agent was away for less than its time', async () => {
    const { one, link, add, connect, stateOf, sentJobs } = runner(limits)
    link.isAwake = false
    await one.start()
    await connect()
    const job = add()
    await pass(25_000)
    link.isAwake = true
    await pass(5000)

    expect([stateOf(job), sentJobs()]).toEqual(['queued', [job]])
    await one.stop()
  })

  it('is stalled after it was sent, too, and its acceptance begins it', async () => {
    const { one, tell, add, connect, stateOf, events } = runner(limits)
    await one.start()
    const job = add()
    await connect()
    await pass(timeoutMs + 30_000)
    expect(stateOf(job)).toBe('stalled')

    one.heard(job)
    await tell({ t: 'accepted', job, steps: ['a'] })
    await pass(5000)

    expect(stateOf(job)).toBe('running')
    expect(events.slice(1)).toEqual([
      { kind: 'steps', job, names: ['a'] },
      { kind: 'state', job, state: 'running', failure: null },
    ])
    await one.stop()
  })

  it('and goes beside the others waits in line as long as the agent is there, and is watched from its beginning', async () => {
    const { one, tell, add, connect, stateOf } = runner(limits)
    await one.start()
    const job = add({ type: besideType })
    await connect()
    await pass(120_000)
    expect(stateOf(job)).toBe('queued')

    one.heard(job)
    await tell({ t: 'accepted', job, steps: ['a'] })
    await pass(20_000)
    expect(stateOf(job)).toBe('running')
    await pass(15_000)
    expect(stateOf(job)).toBe('stalled')
    await one.stop()
  })

  it('and waits in line is stalled when the agent has not answered for long', async () => {
    const { one, link, add, connect, stateOf } = runner(limits)
    await one.start()
    const job = add({ type: besideType })
    await connect()
    await pass(120_000)

    link.isAwake = false
    await pass(25_000)
    expect(stateOf(job)).toBe('queued')
    await pass(15_000)
    expect(stateOf(job)).toBe('stalled')
    await one.stop()
  })

  it('waits again when the agent holds it back after all', async () => {
    const { one, tell, add, connect, stateOf, states } = runner(limits)
    await one.start()
    const job = add()
    await connect()
    await pass(30_000)

    await tell({ t: 'held', job, reason: 'waits for root' })

    expect([stateOf(job), states()]).toEqual(['queued', ['stalled', 'queued']])
    await one.stop()
  })
})

describe('news of a job', () => {
  async function sentOne() {
    const made = runner()
    const job = made.add()
    await made.connect()
    await settled()
    return { ...made, job }
  }

  it('are told in their order once they are stored, and an end is acknowledged', async () => {
    const { tell, job, events, sent, stored } = await sentOne()

    await tell(
      { t: 'accepted', job, steps: ['a'] },
      { t: 'step', job, index: 0, name: 'a', state: 'running', note: null },
      { t: 'log', job, line: 'working' },
      { t: 'step', job, index: 0, name: 'a', state: 'done', note: null },
      { t: 'finished', job, token: 1, failure },
    )

    expect(events).toEqual([
      { kind: 'steps', job, names: ['a'] },
      { kind: 'state', job, state: 'running', failure: null },
      { kind: 'log', job, line: 'working' },
      { kind: 'step', job, index: 0, name: 'a', state: 'done', note: null },
      { kind: 'state', job, state: 'failed', failure },
    ])
    expect(sent).toEqual([`job ${job}`, `ack ${job}`])
    expect(stored).toEqual([`delivered ${job}`, `log working ${job}`, `step 0 done ${job}`])
  })

  it('are told to nobody, and an end is not acknowledged, when they cannot be stored', async () => {
    const { tell, job, events, sent, queue } = await sentOne()
    Object.assign(queue, {
      together: async (work: (on: JobQueue) => Promise<unknown>) => {
        await work(queue)
        throw new Error('the disk is full')
      },
    })

    await expect(
      tell({ t: 'accepted', job, steps: [] }, { t: 'finished', job, token: 1, failure: null }),
    ).rejects.toThrow('the disk is full')

    expect([events, sent]).toEqual([[], [`job ${job}`]])
  })

  it('of an end that is known are acknowledged and told to nobody', async () => {
    const { tell, job, events, sent } = await sentOne()
    await tell({ t: 'accepted', job, steps: [] }, { t: 'finished', job, token: 1, failure: null })
    const before = events.length

    await tell({ t: 'finished', job, token: 1, failure: null })

    expect(events).toHaveLength(before)
    expect(sent.slice(-2)).toEqual([`ack ${job}`, `ack ${job}`])
  })

  it('that came before count once', async () => {
    const { tell, job, events } = await sentOne()

    await tell({ t: 'accepted', job, steps: [] })
    await tell({ t: 'accepted', job, steps: [] })

    expect(events.map(({ kind }) => kind)).toEqual(['steps', 'state'])
  })

  it('of an unknown job are left', async () => {
    const { tell, events, stored, warned } = runner()

    await tell({ t: 'log', job: newId(), line: 'working' })

    expect([events, stored, warned]).toEqual([[], [], ['the agent tells of an unknown job']])
  })

  it('of a job that only the store knows are stored, and it is watched from then on', async () => {
    const { one, tell, add, stored, stateOf } = runner({ stallAfterMs: 30_000, tickMs: 5000 })
    await one.start()
    const job = add({ state: 'running' })

    await tell({ t: 'log', job, line: 'working' })
    await pass(30_000)

    expect(stored).toEqual([`log working ${job}`])
    expect(stateOf(job)).toBe('stalled')
    await one.stop()
  })
})

it('waits for what is being sent when it is stopped', async () => {
  const { one, add, connect, queue, sentJobs } = runner()
  const gate = Promise.withResolvers<void>()
  const { runnable } = queue
  Object.assign(queue, {
    runnable: async (limit: number) => {
      await gate.promise
      return await runnable(limit)
    },
  })
  const job = add()
  await connect()
  const order: string[] = []
  const stopped = one.stop().then(() => order.push(`stopped after ${sentJobs().length}`))
  await settled()
  order.push('asked')
  gate.resolve()
  await stopped

  expect(order).toEqual(['asked', 'stopped after 1'])
  expect(sentJobs()).toEqual([job])
})

it('stops looking when it is stopped', async () => {
  const { one, add, connect, sentJobs } = runner({ tickMs: 1000 })
  await one.start()
  await connect()
  await one.stop()
  add()

  await pass(5000)

  expect(sentJobs()).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
