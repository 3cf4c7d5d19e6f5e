/** How often a key asks the store, and how often its use is written there. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ApiKey } from '../../resources/api-key/schema.ts'
import { apiKeys } from './api-keys.ts'

vi.mock('./visitors.ts', () => ({ mustEnrol: async () => null, unlessStoreTrouble() {} }))

const key = {
  id: 'k',
  userId: 'u',
  name: 'ci',
  addresses: ['192.0.2.0/24'],
  scopes: [],
  createdAt: '',
  lastUsedAt: null,
}
const owner = { user: { id: 'u', email: 'ann@example.org' }, permissions: 'all', scope: {}, maySignIn: true }

let found: Partial<ApiKey> | undefined
let lookUps: number
let touches: number
let warnings: object[]
let keys: ReturnType<typeof apiKeys>
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] })
  found = key as never
  lookUps = 0
  touches = 0
  warnings = []
  const stores = {
    apiKeys: {
      async ofToken() {
        lookUps++
        return found
      },
      async touch() {
        touches++
        found = { ...found, lastUsedAt: new Date().toISOString() }
      },
    },
    users: { credentials: async () => owner },
  }
  keys = apiKeys({ storesOf: () => stores, log: { warn: (facts: object) => warnings.push(facts) } } as never)
})
afterEach(() => vi.useRealTimers())

const use = (address = '192.0.2.1') => keys.identify('token', address)
const refused = { code: 'not_signed_in' }

it('is looked up anew after half a second, so that a key ended elsewhere is refused', async () => {
  await use()
  found = undefined
  vi.advanceTimersByTime(499)
  await use()
  expect(lookUps).toBe(1)

  vi.advanceTimersByTime(1)

  await expect(use()).rejects.toMatchObject(refused)
  expect(lookUps).toBe(2)
})

it('is looked up anew after any change here', async () => {
  await use()
  found = undefined
  keys.forget()

  await expect(use()).rejects.toMatchObject(refused)
})

it('writes its use once a minute', async () => {
  await use()
  await use()
  expect(touches).toBe(1)
  vi.advanceTimersByTime(59_499)
  await use()
  expect(touches).toBe(1)
  vi.advanceTimersByTime(501)

  await use()
  expect(touches).toBe(2)
})

it('is refused from another address, with a line for the log and no use written', async () => {
  await expect(use('198.51.100.1')).rejects.toMatchObject(refused)

  expect(warnings).toEqual([{ key: 'k', ip: '198.51.100.1' }])
  expect(touches).toBe(0)
})

it('that is for signing is no key to be sent', async () => {
  found = { ...(key as object), isSigned: true }

  await expect(use()).rejects.toMatchObject(refused)
})

it('stands for nobody who may not sign in, and for its owner otherwise', async () => {
  expect((await use()).actor).toMatchObject({
    kind: 'user',
    id: 'u',
    email: 'ann@example.org',
    key: { id: 'k', name: 'ci' },
  })
  keys.forget()
  owner.maySignIn = false

  await expect(use()).rejects.toMatchObject(refused)
  owner.maySignIn = true
})
