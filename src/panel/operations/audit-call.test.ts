import { expect, it } from 'vitest'
import type { AnyOperation } from '../../contract/operation.ts'
import { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import type { QueuedJob } from '../../resources/job/store.ts'
import type { Stores } from '../../resources/stores.ts'
import { audit, type Made, recordChange } from './audit-call.ts'

const [ann, boss, tenant, other, key, job] = ['a', 'b', 'c', 'd', 'e', 'f'].map((digit) =>
  Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`),
) as [Id, Id, Id, Id, Id, Id]
const staff: Actor = {
  ...{ kind: 'user', id: ann, email: 'ann@example.com', permissions: 'all' },
  scope: { kind: 'global' },
}
const customer: Actor = { ...staff, scope: { kind: 'local', tenant: tenant, user: ann } }
const acting: Actor = { ...customer, impersonator: { id: boss, email: 'boss@example.com' } }
const program: Actor = { ...customer, key: { id: key, name: 'deploy' } }
const queued = [{ payload: { tenant: other } }] as unknown as readonly QueuedJob[]

/** What the three stores are told. */
function stores() {
  const told: unknown[][] = []
  const tell =
    (store: string) =>
    async (...words: unknown[]) =>
      void told.push([store, ...words])
  return {
    told,
    stores: {
      jobs: { cameFrom: tell('jobs') },
      audit: { append: tell('audit') },
      webhooks: { emit: tell('webhooks') },
    } as unknown as Stores, // all that is told of a change
  }
}

const byAnn = { actor: 'ann@example.com', actorId: ann }
const call = { ip: '192.0.2.1', requestId: 'r' }
const row = { id: expect.any(String), at: expect.stringMatching(/^\d{4}-.*Z$/), action: 'thing.change', outcome: 'ok' }

it.each<[string, Actor | null, readonly QueuedJob[], object]>([
  ['root', { kind: 'root' }, [], { actor: 'root', actorId: null, tenantId: null, metadata: { a: 1 } }],
  [
    'root, for a tenant',
    { kind: 'root' },
    queued,
    { actor: 'root', actorId: null, tenantId: other, metadata: { a: 1 } },
  ],
  ['staff', staff, [], { ...byAnn, tenantId: null, metadata: { a: 1 } }],
  ['a customer', customer, [], { ...byAnn, tenantId: tenant, metadata: { a: 1 } }],
  ['a customer, for another tenant', customer, queued, { ...byAnn, tenantId: other, metadata: { a: 1 } }],
  [
    'one who acts as the customer',
    acting,
    [],
    { actor: 'boss@example.com', actorId: boss, tenantId: tenant, metadata: { a: 1, as: 'ann@example.com' } },
  ],
  ['a program', program, [], { ...byAnn, tenantId: tenant, metadata: { a: 1, key } }],
])('names who did it, and whose it is: %s', async (_, actor, jobs, expected) => {
  const { told, stores: own } = stores()
  await audit(own, { actor, ...call }, 'thing.change', 'ok', { a: 1 }, jobs)
  expect(told).toEqual([['audit', { ...row, ...call, ...expected }]])
})

const operation = (more: object = {}) => ({ name: 'thing.change', ...more }) as unknown as AnyOperation<Context>
const change = async (what: AnyOperation<Context>, input: object, made: Partial<Made>) => {
  const { told, stores: own } = stores()
  const result = { value: null, jobIds: [], queued: [], ...made } as unknown as Made
  const caller = { actor: customer, session: null, ...call } as never
  await recordChange(own, caller, what, input as Record<string, unknown>, result)
  return told
}

it('keeps secrets out of the trail, of the job and of the news', async () => {
  const input = { name: 'x', password: 'hidden', text: 'private', left: undefined, none: null }
  const told = await change(operation({ secret: ['password'], unrecorded: ['text'] }), input, {
    value: { id: 'of it', secret: 'hidden' },
    jobIds: [job] as never,
    queued: queued as never,
  })

  expect(told).toEqual([
    ['jobs', [job], { operation: 'thing.change', input: { name: 'x', none: null } }],
    [
      'audit',
      expect.objectContaining({
        metadata: { input: { name: 'x', none: null }, id: 'of it', jobs: [job] },
        tenantId: other,
      }),
    ],
    ['webhooks', { type: 'thing.change', data: { actor: 'ann@example.com', tenant: other, id: 'of it', jobs: [job] } }],
  ])
  const [[, , cameFrom] = []] = told
  expect(JSON.stringify(cameFrom)).toBe('{"operation":"thing.change","input":{"name":"x","none":null}}')
})

it.each([[null], ['text'], [undefined], [{ other: 1 }]])('of a change without an id tells none: %j', async (value) => {
  const told = await change(operation(), { name: 'x' }, { value })
  expect(told).toEqual([
    ['jobs', [], { operation: 'thing.change', input: { name: 'x' } }],
    [
      'audit',
      expect.objectContaining({ metadata: { input: { name: 'x' } }, tenantId: tenant, outcome: 'ok', ...call }),
    ],
    ['webhooks', { type: 'thing.change', data: { actor: 'ann@example.com', tenant: null } }],
  ])
})
