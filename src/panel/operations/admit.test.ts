import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Operation } from '../../contract/operation.ts'
import { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import { admit, type Caller, isFresh, mayCall } from './admit.ts'

const id = () => Id.parse(randomUUID())
const user = (more: object = {}): Actor => ({
  ...{ kind: 'user', id: id(), email: 'ann@example.com', permissions: 'all', scope: { kind: 'global' } },
  ...more,
})
const impersonator = { id: id(), email: 'boss@example.com' }
const key = { id: id(), name: 'deploy' }
const operation = (more: object = {}) =>
  ({
    ...{ name: 'thing.change', policy: { scopes: ['global', 'local'] }, input: z.strictObject({ size: z.int() }) },
    ...more,
  }) as unknown as Operation<Context> // all that is looked at here
const sensitive = operation({ policy: { scopes: ['global'], isSensitive: true } })

const now = Date.parse('2026-03-01T12:00:00.000Z')
const proven = (msAgo: number) => ({ confirmedAt: new Date(now - msAgo).toISOString(), mustEnrol: false }) as const
const caller = (actor: Actor | null, session: Caller['session'] = proven(0)): Caller => ({
  ...{ actor, session, ip: null, requestId: 'r' },
})

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now }))
afterEach(() => void vi.useRealTimers())

describe('who may call', () => {
  it.each<[string, Actor | null, Operation<Context>, boolean]>([
    ['nobody', null, operation(), false],
    ['root', { kind: 'root' }, sensitive, true],
    ['a person with all permissions', user(), operation(), true],
    ['one with this permission', user({ permissions: new Set(['thing.change']) }), operation(), true],
    ['one with another', user({ permissions: new Set(['thing.list']) }), operation(), false],
    ['one of another scope', user({ scope: { kind: 'reseller', reseller: id(), user: id() } }), operation(), false],
    ['one of this scope', user({ scope: { kind: 'local', tenant: id(), user: id() } }), operation(), true],
    ['everyone, where it is for everyone', user({ permissions: new Set() }), operation({ isForEveryone: true }), true],
    [
      'no key, where it is for everyone',
      user({ permissions: new Set(), key }),
      operation({ isForEveryone: true }),
      false,
    ],
    [
      'a key of this permission, where it is for everyone',
      user({ permissions: new Set(['thing.change']), key }),
      operation({ isForEveryone: true }),
      true,
    ],
    ['a person, what is sensitive', user(), sensitive, true],
    ['a key, what is sensitive', user({ key }), sensitive, false],
    ['one who acts as another, what is sensitive', user({ impersonator }), sensitive, false],
    ['a key, what is not', user({ key }), operation(), true],
    ['one who acts as another, what is not', user({ impersonator }), operation(), true],
  ])('%s', (_, actor, what, expected) => {
    expect(mayCall(actor, what)).toBe(expected)
    const admitted = () => admit(caller(actor), what, { size: 1 })
    if (expected) expect(admitted().parsed).toEqual({ size: 1 })
    else expect(admitted).toThrow('Cannot run thing.change')
  })
})

it.each<[Actor | null, string, string, string | undefined]>([
  [null, 'not_signed_in', 'Cannot run thing.change: nobody is signed in', undefined],
  [user({ key }), 'forbidden', 'Cannot run thing.change with an API key', 'Sign in and do it yourself.'],
  [
    user({ impersonator }),
    'forbidden',
    'Cannot run thing.change while acting as another person',
    'End acting as this person first.',
  ],
  [
    user({ permissions: new Set() }),
    'forbidden',
    'Cannot run thing.change: the permission "thing.change" is missing',
    undefined,
  ],
])('says why not: %#', (actor, code, message, help) => {
  const refused = (() => {
    try {
      return admit(caller(actor), sensitive, { size: 1 })
    } catch (error) {
      return error
    }
  })()
  expect(refused).toMatchObject({ code, message, ...(help !== undefined && { help }) })
})

describe('the proof', () => {
  const dangerous = operation({ stepUp: true })
  const minutes = 60_000

  it('of a dangerous operation is ten minutes old at most', () => {
    expect(isFresh(null)).toBe(false)
    expect([10 * minutes - 1, 10 * minutes].map((ago) => isFresh(proven(ago)))).toEqual([true, false])
    expect(admit(caller(user(), proven(10 * minutes - 1)), dangerous, { size: 1 })).toBeDefined()
    for (const session of [proven(10 * minutes), null])
      expect(() => admit(caller(user(), session), dangerous, { size: 1 })).toThrow(
        expect.objectContaining({ code: 'step_up_needed' }),
      )
  })

  it('is not asked of root, of a key, and for what is not dangerous', () => {
    for (const actor of [{ kind: 'root' } as const, user({ key })])
      expect(admit(caller(actor, null), dangerous, { size: 1 })).toBeDefined()
    expect(admit(caller(user(), proven(60 * minutes)), operation(), { size: 1 })).toBeDefined()
  })

  it('of a second factor comes before everything but what sets one up', () => {
    const owing = { ...proven(0), mustEnrol: 'factor' } as const
    expect(() => admit(caller(user(), owing), dangerous, { size: 1 })).toThrow(
      expect.objectContaining({ code: 'second_factor_needed' }),
    )
    const enrols = operation({ whileEnrolling: true })
    expect(admit(caller(user(), owing), enrols, { size: 1 }).who.mustEnrol).toBe(true)
    expect(admit(caller(user()), enrols, { size: 1 }).who.mustEnrol).toBe(false)
    expect(admit(caller({ kind: 'root' }, null), dangerous, { size: 1 }).who.mustEnrol).toBe(false)
  })
})

it('names the fields that are wrong', () => {
  expect(() => admit(caller(user()), operation(), { size: 'x', other: 1 })).toThrow(
    expect.objectContaining({
      code: 'bad_input',
      fields: expect.arrayContaining([expect.objectContaining({ field: 'size' })]),
    }),
  )
})
