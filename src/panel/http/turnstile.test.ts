import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { turnstile } from './turnstile.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Who was let go by now, in order. */
function visitors(enter: ReturnType<typeof turnstile>) {
  const gone: string[] = []
  return {
    gone,
    come(name: string, from = 'there') {
      const place = enter(['here', from])
      void place.turn.then((isLetGo) => gone.push(isLetGo ? name : `${name} left`))
      return place
    },
  }
}

describe('turnstile', () => {
  it('lets the first go at once and the others one after the other', async () => {
    const { gone, come } = visitors(turnstile(50))
    for (const name of ['a', 'b', 'c']) come(name)

    await vi.advanceTimersByTimeAsync(0)
    expect(gone).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(20)
    expect(gone).toEqual(['a', 'b'])
    await vi.advanceTimersByTimeAsync(20)
    expect(gone).toEqual(['a', 'b', 'c'])
  })

  it('does not save up what nobody took', async () => {
    const { gone, come } = visitors(turnstile(50))
    come('a')
    await vi.advanceTimersByTimeAsync(10_000)
    for (const name of ['b', 'c']) come(name)
    await vi.advanceTimersByTimeAsync(19)

    expect(gone).toEqual(['a', 'b'])
  })

  it('gives nobody the turn of one who left', async () => {
    const { gone, come } = visitors(turnstile(50))
    come('a')
    const quitters = Array.from({ length: 1000 }, (_, at) => come(`quitter ${at}`))
    come('z')
    for (const { leave } of quitters) leave()
    await vi.advanceTimersByTimeAsync(20)

    expect(gone.filter((name) => !name.endsWith('left'))).toEqual(['a', 'z'])
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(20)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets who comes from elsewhere go before a crowd', async () => {
    const { gone, come } = visitors(turnstile(50))
    for (let one = 0; one < 1000; one++) come(`crowd ${one}`)
    come('alone', 'elsewhere')
    await vi.advanceTimersByTimeAsync(60)

    expect(gone).toEqual(['crowd 0', 'crowd 1', 'alone', 'crowd 2'])
  })
})
