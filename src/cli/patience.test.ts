import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { patiently } from './patience.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const said: string[] = []
const output = { out() {}, err: (text: string) => void said.push(text), colour: false }

it('says every five seconds that there is no answer yet, and nothing beside a quick one', async () => {
  const slow = Promise.withResolvers<string>()

  expect(await patiently(output, 'job.list', Promise.resolve('quick'))).toBe('quick')
  const answer = patiently(output, 'health.drift', slow.promise)
  await vi.advanceTimersByTimeAsync(12_000)
  slow.resolve('slow')
  expect(await answer).toBe('slow')
  await vi.advanceTimersByTimeAsync(60_000)

  expect(said).toEqual(['health.drift: no answer yet after 5 s\n', 'health.drift: no answer yet after 10 s\n'])
})

it('stops when the call fails', async () => {
  await expect(patiently(output, 'health.drift', Promise.reject(new Error('away')))).rejects.toThrow('away')

  expect(vi.getTimerCount()).toBe(0)
})
