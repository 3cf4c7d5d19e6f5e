import { expect, it } from 'vitest'
import { Ration } from './ration.ts'

function ration() {
  let at = 0
  const made = new Ration({ store: 100, perSecond: 10, now: () => at })
  const pass = (ms: number) => {
    at += ms
  }
  return { made, pass }
}

it('gives a tenant its store, and leaves the other its own', () => {
  const { made } = ration()

  const taken = Array.from({ length: 4 }, () => made.take('acme', 40))

  expect(taken).toEqual([true, true, false, false])
  expect(made.take('other', 100)).toBe(true)
  expect(made.settle()).toEqual([{ tenant: 'acme', lines: 2 }])
  expect(made.settle()).toEqual([])
})

it('fills again with time, and never above its store', () => {
  const { made, pass } = ration()
  made.take('acme', 100)

  pass(5000)
  expect(made.take('acme', 51)).toBe(false)
  expect(made.take('acme', 50)).toBe(true)
  pass(1_000_000)

  expect(made.take('acme', 101)).toBe(false)
  expect(made.take('acme', 100)).toBe(true)
})
