import { describe, expect, it } from 'vitest'
import { briefMemory } from './brief-memory.ts'

describe('a brief memory', () => {
  it('looks again when its time is over, counted from the beginning of the look', async () => {
    let now = 0
    let looks = 0
    const memory = briefMemory<number>(500, () => now)
    const look = async () => {
      now += 100
      return ++looks
    }

    const seen = [await memory.of('a', look)]
    now = 499
    seen.push(await memory.of('a', look))
    now = 500
    seen.push(await memory.of('a', look))

    expect(seen).toEqual([1, 1, 2])
  })

  it('forgets with a change, also what is being looked up meanwhile', async () => {
    let looks = 0
    const memory = briefMemory<number>(500, () => 0)
    const slow = Promise.withResolvers<number>()
    const asked = memory.of('a', () => slow.promise)
    memory.forget()
    slow.resolve(-1)

    expect(await asked).toBe(-1)
    expect(await memory.of('a', async () => ++looks)).toBe(1)
    expect(await memory.of('a', async () => ++looks)).toBe(1)
    memory.forget()
    expect(await memory.of('a', async () => ++looks)).toBe(2)
  })

  it('does not remember a failure, nor one key for another', async () => {
    const memory = briefMemory<string>(500, () => 0)
    await expect(
      memory.of('a', async () => {
        throw new Error('unknown')
      }),
    ).rejects.toThrow('unknown')

    expect(await memory.of('a', async () => 'one')).toBe('one')
    expect(await memory.of('b', async () => 'other')).toBe('other')
  })

  it('stays small', async () => {
    const memory = briefMemory<number>(500, () => 0)
    for (let key = 0; key < 3000; key++) await memory.of(`key${key}`, async () => key)

    let looks = 0
    for (let key = 0; key < 2000; key++)
      await memory.of(`key${key}`, async () => {
        looks++
        return key
      })
    expect(looks).toBe(2000)
  })
})
