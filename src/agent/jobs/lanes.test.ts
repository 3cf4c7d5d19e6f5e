import { expect, it } from 'vitest'
import { Lanes } from './lanes.ts'

const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

it('works one after the other in a lane, and no more lanes at once than allowed', async () => {
  const lanes = new Lanes(2)
  const said: string[] = []
  let now = 0
  let most = 0
  const work = (name: string) => async () => {
    most = Math.max(most, ++now)
    said.push(`+${name}`)
    await soon()
    said.push(`-${name}`)
    now--
  }

  for (const name of ['a1', 'a2', 'b1', 'c1']) lanes.add(name.slice(0, 1), work(name))
  await lanes.idle()

  expect(most).toBe(2)
  expect(said.indexOf('-a1')).toBeLessThan(said.indexOf('+a2'))
  expect(said).toHaveLength(8)
})

it('finishes what runs and gives up what waits when it is closed', async () => {
  const lanes = new Lanes(1)
  const said: string[] = []
  lanes.add('a', async () => {
    await soon()
    said.push('ran')
  })
  lanes.add('a', async () => void said.push('waited'))

  await lanes.close()

  expect(said).toEqual(['ran'])
})

it('works so many at once in a lane as it may, and leaves places for others', async () => {
  const lanes = new Lanes(3, 2)
  const now = new Map<string, number>()
  const most = new Map<string, number>()
  const work = (lane: string) => async () => {
    for (const key of [lane, 'all']) {
      now.set(key, (now.get(key) ?? 0) + 1)
      most.set(key, Math.max(most.get(key) ?? 0, now.get(key) ?? 0))
    }
    await soon()
    for (const key of [lane, 'all']) now.set(key, (now.get(key) ?? 0) - 1)
  }

  for (const lane of ['a', 'a', 'a', 'a', 'b', 'c']) lanes.add(lane, work(lane))
  await lanes.idle()

  expect(Object.fromEntries(most)).toEqual({ a: 2, b: 1, c: 1, all: 3 })
})
