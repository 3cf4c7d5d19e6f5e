/** Calls with one Idempotency-Key, one at a time: what the panel itself holds back before it asks the store. */
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { WcpError } from '../../contract/errors.ts'
import { idempotency } from './idempotency.ts'

const claim = { key: 'one', request: 'r' }
const { alone } = idempotency({ seal: randomBytes(32), codes: randomBytes(32) })
const conflict = expect.objectContaining({ code: 'conflict', details: { retryAfterSeconds: 1 } })

it('refuses a call while another with the same key is worked on, and no other call', async () => {
  const working = Promise.withResolvers<string>()
  const first = alone(claim, () => working.promise)

  await expect(alone(claim, async () => 'second')).rejects.toEqual(conflict)
  expect(await alone({ ...claim, key: 'two' }, async () => 'other')).toBe('other')
  expect(await alone(null, async () => 'keyless')).toBe('keyless')
  working.resolve('first')

  expect(await first).toBe('first')
  expect(await alone(claim, async () => 'again')).toBe('again')
})

it('takes the key again after a call that failed', async () => {
  const failing = alone(claim, () => Promise.reject(new WcpError('bad_input', 'Cannot')))

  await expect(failing).rejects.toMatchObject({ code: 'bad_input' })
  expect(await alone(claim, async () => 'again')).toBe('again')
})
