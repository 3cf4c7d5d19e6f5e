/** Health: how the machine is, and what on it is not as it should be. */
import { z } from 'zod'
import { DriftReport, HealthSnapshot } from '../../contract/wire.ts'
import { Count } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { mayList, scopeOf } from '../visibility.ts'
import { unlikeSides } from './unlike-sides.ts'

export const get = defineOperation({
  name: 'health.get',
  summary: 'Show load, memory, disks, pressure and services of the machine',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health',
  positional: [],
  input: z.strictObject({}),
  output: HealthSnapshot,
  run: ({ machine }) => machine.health(),
})

/** Counting ends here: what it costs is the same for every store that is larger. */
const mostCounted = 10_000

export const counts = defineOperation({
  name: 'health.counts',
  summary: 'Count the tenants, domains, packages and users there are',
  description: `Counts what is alive and what you may list, up to ${mostCounted} of each kind.`,
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /health/counts',
  positional: [],
  columns: ['kind', 'count', 'isMore'],
  input: z.strictObject({}),
  output: z.strictObject({
    items: z.array(
      z.strictObject({
        kind: z.enum(['tenant', 'domain', 'package', 'user']),
        count: Count,
        /** There are more than were counted. */
        isMore: z.boolean(),
      }),
    ),
    nextCursor: z.null(),
  }),
  async run({ actor, tenants, domains, packages, users }) {
    const counters = [
      ['tenant', tenants],
      ['domain', domains],
      ['package', packages],
      ['user', users],
    ] as const
    const items = counters
      .filter(([kind]) => mayList(actor, kind))
      .map(async ([kind, store]) => {
        const found = await store.count(mostCounted + 1, scopeOf(actor))
        return { kind, count: Math.min(found, mostCounted), isMore: found > mostCounted }
      })
    return { items: await Promise.all(items), nextCursor: null }
  },
})

export const drift = defineOperation({
  name: 'health.drift',
  summary: 'Show what on the machine differs from what the panel wants',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/drift',
  positional: [],
  columns: ['resource', 'changes'],
  input: z.strictObject({}),
  output: z.strictObject({ items: DriftReport, nextCursor: z.null() }),
  async run(context) {
    const items = [...(await context.machine.drift()), ...(await unlikeSides(context))]
    return { items, nextCursor: null }
  },
})
