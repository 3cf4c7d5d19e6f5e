import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { newSitePassword, siteVerifier } from './site-password.ts'

it('a password is five groups of five signs, another one each time', () => {
  const made = Array.from({ length: 200 }, newSitePassword)

  for (const one of made) expect(one).toMatch(/^(?:[a-km-np-z2-9]{5}-){4}[a-km-np-z2-9]{5}$/)
  expect(new Set(made).size).toBe(made.length)
  expect(new Set(made.join('').replaceAll('-', '')).size).toBe(32)
})

it('a verifier is SHA-1 of password and salt, and the salt', () => {
  const [, base64 = ''] = /^\{SSHA\}(.+)$/.exec(siteVerifier('word')) ?? []
  const bytes = Buffer.from(base64, 'base64')
  const [digest, salt] = [bytes.subarray(0, 20), bytes.subarray(20)]

  expect(salt.length).toBe(16)
  expect(createHash('sha1').update('word').update(salt).digest()).toEqual(digest)
  expect(siteVerifier('word')).not.toBe(siteVerifier('word'))
})
