/** Health: how the machine is, and what on it is not as it should be. */
import { z } from 'zod'
import { Line } from '../../contract/values.ts'
import { DriftReport, HealthSnapshot } from '../../contract/wire.ts'
import { Count } from '../answers.ts'
import { defineOperation } from '../context.ts'
import type { Countable } from '../kind-numbers.ts'
import type { Scope } from '../scope.ts'
import { mayList, scopeOf } from '../visibility.ts'
import { Finding } from './findings.ts'
import { inventoryDiff } from './inventory-diff.ts'

export const get = defineOperation({
  name: 'health.get',
  summary: 'Show load, memory, disks, pressure and services of the machine',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health',
  positional: [],
  input: () => z.strictObject({}),
  output: () => HealthSnapshot,
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
  input: () => z.strictObject({}),
  output: () =>
    z.strictObject({
      items: z.array(
        z.strictObject({
          kind: z.string(),
          count: Count,
          /** There are more than were counted. */
          isMore: z.boolean(),
        }),
      ),
      nextCursor: z.null(),
    }),
  async run(context) {
    const { actor, kinds } = context
    const items = kinds.flatMap(({ name, counted }) =>
      counted !== undefined && mayList(actor, name) ? [countOf(name, counted(context), scopeOf(actor))] : [],
    )
    return { items: await Promise.all(items), nextCursor: null }
  },
})

async function countOf(kind: string, store: Countable, scope: Scope) {
  const found = await store.count(mostCounted + 1, scope)
  return { kind, count: Math.min(found, mostCounted), isMore: found > mostCounted }
}

export const drift = defineOperation({
  name: 'health.drift',
  summary: 'Show what on the machine differs from what the panel wants',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/drift',
  positional: [],
  columns: ['resource', 'changes'],
  input: () => z.strictObject({}),
  output: () => z.strictObject({ items: DriftReport, nextCursor: z.null() }),
  async run(context) {
    const items = [...(await context.machine.drift()), ...(await inventoryDiff(context))]
    return { items, nextCursor: null }
  },
})

export const findings = defineOperation({
  name: 'health.findings',
  summary: 'Show what the watch over drift has found, without looking anew',
  description:
    'The machine is looked at all the time, a part every few minutes and all of it every four hours. tenant.repair and domain.repair put back what they name; what is told of a file of the web server, the next reload of the service puts back and keeps the text beside.',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/findings',
  positional: [],
  columns: ['resource', 'foundAt', 'seenAt'],
  input: () =>
    z.strictObject({
      resource: Line.max(300, { error: 'at most 300 characters' })
        .optional()
        .describe('Of this alone: "tenant acme", "domain shop.example.com", "web server"'),
    }),
  output: () => z.strictObject({ items: z.array(Finding), nextCursor: z.null() }),
  run: async ({ driftFindings }, { resource }) => ({ items: await driftFindings.list(resource), nextCursor: null }),
})
