import { expect, it } from 'vitest'
import { problemIn, problemOf, retryAfter } from './acme-problem.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

it.each<[string | undefined, number | null]>([
  ['120', 120_000],
  ['Tue, 01 Jan 2030 00:01:00 GMT', 60_000],
  ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
  ['99999999', 7 * 86_400_000],
  ['soon', null],
  [undefined, null],
])('waits as "%s" says', (value, ms) => {
  expect(retryAfter(value, now)).toBe(ms)
})

it('tells a stranger’s words in one line of bounded length', () => {
  const { type, detail } = problemIn({
    type: 'urn:ietf:params:acme:error:dns',
    detail: `a\n\u001b[31m\u202e${'b'.repeat(900)}`,
  })

  expect(type).toBe('dns')
  expect(detail).toMatch(/^a \[31m b+$/)
  expect(detail).toHaveLength(400)
})

it.each([
  [429, true],
  [503, true],
  [403, false],
])('says whether %i is for all orders', (status, isForAll) => {
  expect(problemOf({ status, headers: {}, body: '<html>' })).toMatchObject({
    isForAll,
    message: `The authority refuses: it answered ${status}`,
  })
})
