/** Captures of a job that this version began, and of one that a version with another list of steps did. */
import { expect, it } from 'vitest'
import type { Json, Step } from '../steps/step.ts'
import { Captures } from './captures.ts'
import type { Journal, JournaledJob } from './journal.ts'

type Row = { readonly step: number; readonly name: string; readonly before: Json }
const job = {} as JournaledJob // it is only handed on

/** @param rows as the journal has them */
function captures(names: readonly string[], rows: Row[] = []) {
  const journal = {
    captures: () => rows,
    async capture(of: JournaledJob, step: number, name: string, before: Json) {
      expect(of).toBe(job)
      rows.push({ step, name, before })
    },
  } as unknown as Journal
  return {
    rows,
    own: new Captures(
      job,
      names.map((name) => ({ name }) as Step),
      journal,
    ),
  }
}
const row = (step: number, name: string, before: Json = `before ${name}`): Row => ({ step, name, before })
const order = (own: Captures) => own.lastFirst().map(({ index, number, name, before }) => [index, number, name, before])

it('are kept by the number of their step, and undone last first', async () => {
  const { own, rows } = captures(['one', 'two', 'three'])
  expect(await own.add(0, null)).toBeNull()
  expect(await own.add(2, { a: 1 })).toEqual({ a: 1 })

  expect(rows).toEqual([row(0, 'one', null), row(2, 'three', { a: 1 })])
  expect([0, 1, 2].map((index) => own.before(index))).toEqual([null, undefined, { a: 1 }])
  expect(order(own)).toEqual([
    [2, 2, 'three', { a: 1 }],
    [0, 0, 'one', null],
  ])
  expect(own.foreign).toBeUndefined()
})

it('belong to the step of their name where the list was another one', () => {
  const { own } = captures(['new', 'one', 'two'], [row(0, 'one'), row(1, 'two')])

  expect([0, 1, 2].map((index) => own.before(index))).toEqual([undefined, 'before one', 'before two'])
  expect(order(own)).toEqual([
    [2, 1, 'two', 'before two'],
    [1, 0, 'one', 'before one'],
  ])
})

it('belong to the step at their place where several have a name', () => {
  const { own } = captures(['same', 'same', 'other'], [row(1, 'same'), row(5, 'same', 'of another list')])

  expect(order(own).map(([index, number]) => [index, number])).toEqual([
    [0, 5],
    [1, 1],
  ])
})

it('tell the name of a step that is not there any more', () => {
  const { own } = captures(['one'], [row(0, 'one'), row(1, 'gone')])
  expect(own.foreign).toBe('gone')
  expect(order(own)[0]).toEqual([-1, 1, 'gone', 'before gone'])
})

it.each([
  ['behind the steps', ['a', 'b', 'c'], [row(0, 'b')], 3],
  ['behind all captures of a longer list', ['a', 'b'], [row(0, 'b'), row(6, 'b')], 7],
  ['at its place where that is free', ['a', 'b'], [row(1, 'b')], 0],
])('made later are undone before those of the older list: %s', async (_, names, before, number) => {
  const { own, rows } = captures(names, [...before])
  await own.add(0, null)

  expect(rows.at(-1)).toEqual(row(number, 'a', null))
  expect(own.before(0)).toBeNull()
  if (number > 0) expect(order(own)[0]).toEqual([0, number, 'a', null])
})
