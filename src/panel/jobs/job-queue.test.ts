/** Each call goes to the job store: in a transaction of its own where several rows change, or in the one that is open. */
import { describe, expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { jobQueue } from './job-queue.ts'

const [one, two] = ['1', '2'].map((digit) => Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`)) as [Id, Id]

/** What the store is asked, and where: `db`, or the number of the transaction. */
function world(answers: Readonly<Record<string, unknown>> = {}) {
  const asked: unknown[][] = []
  let transactions = 0
  const tx = (): Db => ({ isTransaction: true, at: ++transactions }) as unknown as Db
  const db = {
    ...{ isTransaction: false, at: 'db' },
    transaction: () => ({ execute: (work: (tx: Db) => unknown) => work(tx()) }),
  } as unknown as Db
  const storesOf = (on: Db) => {
    const answer =
      (name: string) =>
      async (...words: unknown[]) => {
        asked.push([(on as unknown as { at: unknown }).at, name, ...words])
        return answers[name]
      }
    return { jobs: new Proxy({}, { get: (_, name) => answer(String(name)) }) } as unknown as Stores
  }
  return { asked, queue: jobQueue(db, storesOf) }
}

describe('a call', () => {
  const failure = { step: null, code: 'internal', message: 'Cannot', help: 'Mend' } as const
  const step = { index: 1, name: 'a', state: 'done', note: null } as const

  it.each<[string, (queue: ReturnType<typeof world>['queue']) => Promise<unknown>, unknown[], unknown]>([
    ['runnable', (queue) => queue.runnable(5), ['db', 'nextRunnable', 5], [{ id: one }]],
    ['delivered', (queue) => queue.delivered(one), ['db', 'delivered', one], true],
    ['held', (queue) => queue.held(one), ['db', 'held', one], false],
    ['find', (queue) => queue.find(one), ['db', 'find', one], { id: one }],
    ['accepted', (queue) => queue.accepted(one, ['a']), ['db', 'accepted', one, ['a']], true],
    ['step', (queue) => queue.step(one, step), ['db', 'step', one, step], undefined],
    ['log', (queue) => queue.log(one, 'line'), ['db', 'log', one, 'line'], undefined],
    ['stalled', (queue) => queue.stalled(one), [1, 'stalled', one], true],
    ['requeued', (queue) => queue.requeued(), [1, 'requeued'], [one]],
    ['finished', (queue) => queue.finished(one, 7, failure), [1, 'finished', one, 7, failure], false],
  ])('%s', async (_, call, asks, answer) => {
    const { asked, queue } = world({ [String(asks[1])]: answer })
    expect(await call(queue)).toEqual(answer)
    expect(asked).toEqual([asks])
  })
})

it('writes all heartbeats in one transaction', async () => {
  const { asked, queue } = world()
  await queue.heartbeats([one, two])
  expect(asked).toEqual([
    [1, 'heartbeat', one],
    [1, 'heartbeat', two],
  ])
})

it('stores what is done together in one transaction', async () => {
  const { asked, queue } = world({ finished: true })
  const told = await queue.together(async (inside) => {
    await inside.log(one, 'line')
    await inside.heartbeats([two])
    return await inside.finished(one, 1, null)
  })
  expect(told).toBe(true)
  expect(asked.map(([at, name]) => [at, name])).toEqual([
    [1, 'log'],
    [1, 'heartbeat'],
    [1, 'finished'],
  ])
})

it('counts as unfinished what the agent has, or may have, begun', async () => {
  const job = (attempts: number, isBegun: boolean) => ({ attempts, isBegun })
  const found = [job(0, false), job(1, false), job(0, true), job(2, true)]
  const { asked, queue } = world({ inStates: found })

  expect(await queue.unfinished()).toEqual(found.slice(1))
  expect(asked).toEqual([['db', 'inStates', ['running', 'stalled'], 10_000]])
})
