import type { FastifyReply, FastifyRequest } from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import { rateLimits } from './rate-limits.ts'

const [ann, bob, boss, tenant, key] = ['1', '2', '3', '4', '5'].map((digit) =>
  Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`),
) as [Id, Id, Id, Id, Id]
type Person = Extract<Actor, { kind: 'user' }>
const staff = (id: Id): Person => ({
  kind: 'user',
  id,
  email: `${id}@example.com`,
  permissions: 'all',
  scope: { kind: 'global' },
})
const customer = (id: Id): Person => ({ ...staff(id), scope: { kind: 'local', tenant, user: id } })
const impersonator = { id: boss, email: 'boss@example.com' }

let refused: string[]
let rates: ReturnType<typeof rateLimits>
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] }) // time stands still
  refused = []
  rates = rateLimits(
    () => ({ requests: 40, reads: 30, writes: 6, jobs: 4 }),
    (limit) => refused.push(limit),
  )
})

afterEach(() => void vi.useRealTimers())

const from = (actor: Actor | null, ip = '192.0.2.1') =>
  ({ actor, raw: { socket: { remoteAddress: ip } } }) as unknown as FastifyRequest // all that is looked at
const isLet = (what: () => void) => {
  try {
    what()
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'too_many_requests' })
    return false
  }
}
/** How many of a hundred at once get through. */
const through = (what: () => void) => Array.from({ length: 100 }, () => isLet(what)).filter(Boolean).length

describe('at once may come', () => {
  it('a quarter of the requests of a minute from one address, whoever they are of', () => {
    expect(through(() => rates.request(from(null)))).toBe(10)
    expect(refused).toEqual(Array(90).fill('requests'))
    expect(isLet(() => rates.request(from(staff(ann))))).toBe(false)
    expect(isLet(() => rates.request(from(null, '198.51.100.1')))).toBe(true)
  })

  it('a third of the reads of a person, and all the writes', () => {
    expect(through(() => rates.read(from(staff(ann))))).toBe(10)
    expect(through(() => rates.write(from(staff(ann))))).toBe(6)
    expect(refused).toEqual([...Array(90).fill('reads'), ...Array(94).fill('writes')])
    expect(through(() => rates.read(from(staff(bob))))).toBe(10)
  })

  it('of one tenant as much as three people may', () => {
    const people = [1, 2, 3, 4].map((digit) => Id.parse(`${String(digit).repeat(8)}-0000-4000-8000-000000000001`))
    const counts = (act: (request: FastifyRequest) => void) =>
      people.map((id) => through(() => act(from(customer(id)))))

    expect(counts(rates.read)).toEqual([10, 0, 0, 0])
    expect(counts(rates.write)).toEqual([6, 0, 0, 0])
  })

  it('the jobs of a minute for one tenant, whoever asks', () => {
    expect(through(() => rates.job(staff(ann), tenant))).toBe(4)
    expect(isLet(() => rates.job(customer(bob), tenant))).toBe(false)
    expect(isLet(() => rates.job(staff(ann), bob))).toBe(true)
    expect(refused).toEqual([])
  })

  it('anything of root, and of who is nobody yet', () => {
    for (const actor of [{ kind: 'root' } as const, null]) {
      expect(through(() => rates.read(from(actor)))).toBe(100)
      expect(through(() => rates.write(from(actor)))).toBe(100)
    }
    expect(through(() => rates.job({ kind: 'root' }, tenant))).toBe(100)
  })
})

describe('is counted as', () => {
  it('the person who acts: not as the customer, nor for the tenant', () => {
    expect(through(() => rates.write(from({ ...customer(ann), impersonator })))).toBe(6)
    expect(isLet(() => rates.write(from(staff(boss))))).toBe(false)
    expect(through(() => rates.write(from(customer(ann))))).toBe(6)
  })

  it('one program beside the person, whatever the keys', () => {
    const program = (name: string) => from({ ...staff(ann), key: { id: key, name } })
    expect(through(() => rates.write(program('one')))).toBe(6)
    expect(isLet(() => rates.write(program('two')))).toBe(false)
    expect(through(() => rates.write(from(staff(ann))))).toBe(6)
    expect(isLet(() => rates.write(from({ ...staff(bob), key: { id: key, name: 'one' } })))).toBe(true)
  })
})

describe('the answer tells', () => {
  const told = (request: FastifyRequest) => {
    let headers: unknown
    rates.tell(request, { headers: (given: unknown) => (headers = given) } as unknown as FastifyReply)
    return headers
  }

  it('of what was counted last, also for who has to wait', () => {
    const request = from(customer(ann))
    expect(told(request)).toBeUndefined()
    rates.request(request)
    expect(told(request)).toEqual({ 'ratelimit-policy': '"requests";q=40;w=60', ratelimit: '"requests";r=9;t=2' })
    rates.write(request)
    expect(told(request)).toEqual({ 'ratelimit-policy': '"writes";q=6;w=60', ratelimit: '"writes";r=5;t=10' })
    const writes = Array.from({ length: 6 }, () => isLet(() => rates.write(request)))
    expect(writes).toEqual([...Array(5).fill(true), false])
    expect(told(request)).toMatchObject({ ratelimit: '"writes";r=0;t=60' })
  })
})
