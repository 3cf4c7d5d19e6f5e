import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Reloads } from './nginx-reloads.ts'

const quick = { gatherMs: 5, restMs: 10 }

it('are one for all who want one before it begins', async () => {
  let count = 0
  const reloads = new Reloads(async () => void count++, quick)

  await Promise.all([reloads.ask(), reloads.ask(), reloads.ask()])

  expect(count).toBe(1)
})

it('are another one for who comes while one runs, since that may have read the files before', async () => {
  const began: number[] = []
  const reloads = new Reloads(async () => {
    began.push(performance.now())
    await sleep(30)
  }, quick)

  const first = reloads.ask()
  await sleep(20)
  const asked = performance.now()
  await Promise.all([reloads.ask(), reloads.ask(), first])

  expect(began).toHaveLength(2)
  expect(began[1]).toBeGreaterThan(asked)
})

it('rest in between, the longer the longer they take', async () => {
  const times: number[] = []
  const reloads = new Reloads(async () => {
    times.push(performance.now())
    await sleep(30)
    times.push(performance.now())
  }, quick)

  await reloads.ask()
  await reloads.ask()

  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(100)
})

it('tell all who waited for it that one failed, and the next is tried', async () => {
  let fails = true
  const reloads = new Reloads(async () => {
    if (fails) throw new Error('nonsense in line 3')
  }, quick)

  const both = await Promise.allSettled([reloads.ask(), reloads.ask()])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])

  fails = false
  await reloads.ask()
})
