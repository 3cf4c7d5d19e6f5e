import { expect, it } from 'vitest'
import { Fqdn } from '../../contract/values.ts'
import { challengeName, challengeValue, longestProvable } from './challenge.ts'

const key = Buffer.alloc(32, 1)

it('is one value for one tenant and name under one key', () => {
  const value = challengeValue(key, 'a', 'example.com')

  expect(value).toMatch(/^wcp360-proof=[\w-]{43}$/)
  expect(challengeValue(key, 'a', 'example.com')).toBe(value)
  expect(challengeValue(key, 'b', 'example.com')).not.toBe(value)
  expect(challengeValue(key, 'a', 'www.example.com')).not.toBe(value)
  expect(challengeValue(Buffer.alloc(32, 2), 'a', 'example.com')).not.toBe(value)
})

it('leaves room for its label before the longest name, and not before a longer one', () => {
  expect(challengeName('a'.repeat(longestProvable))).toHaveLength(253)
  expect(Fqdn.safeParse(challengeName('example.com')).success).toBe(false)
})
