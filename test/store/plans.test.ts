/** What is asked at each request, after each job or all the time never reads or sorts a whole table: its cost is that of what it shows. */
import { randomUUID } from 'node:crypto'
import Sqlite from 'better-sqlite3'
import { CompiledQuery } from 'kysely'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Id } from '../../src/contract/values.ts'
import { encodeCursor } from '../../src/resources/read-page.ts'
import { everything } from '../../src/resources/scope.ts'
import { newId, openPanel, type Panel } from './harness.ts'

let panel: Panel
beforeEach(async () => {
  panel = await openPanel()
})
afterEach(() => panel.close())

const some = newId()
const now = '2026-03-01T12:00:00.000Z'
const cursor = encodeCursor('asc', 'm', some)
const newer = encodeCursor('desc', 7, some)
const before = encodeCursor('desc', now, some)
type Stores = ReturnType<Panel['stores']>

const asked: Record<string, (stores: Stores) => Promise<unknown>> = {
  'tenants, further page': ({ tenants }) => tenants.list({ limit: 50, cursor }),
  'tenants, newest first': ({ tenants }) => tenants.list({ limit: 50, sort: 'newest', total: true }),
  'tenants, further newest': ({ tenants }) => tenants.list({ limit: 50, sort: 'newest', cursor: before }),
  'tenants, by name from the end': ({ tenants }) => tenants.list({ limit: 50, sort: 'name-desc', total: true }),
  'tenants, oldest first': ({ tenants }) => tenants.list({ limit: 50, sort: 'oldest', total: true }),
  'tenants in the trash': ({ tenants }) => tenants.list({ limit: 50, deleted: true }),
  'tenants by status': ({ tenants }) => tenants.list({ limit: 50, status: 'suspended' }),
  'tenants of a package': ({ tenants }) => tenants.list({ limit: 50, packageId: some }),
  'a tenant': ({ tenants }) => tenants.find('acme'),
  'tenants owed limits': ({ tenants }) => tenants.owedLimits(50),
  'tenants to purge': ({ tenants }) => tenants.expired(now, 10),
  'domains, further page': ({ domains }) => domains.list({ limit: 50, cursor }),
  'domains, newest first': ({ domains }) => domains.list({ limit: 50, sort: 'newest', total: true }),
  'domains, by name from the end': ({ domains }) => domains.list({ limit: 50, sort: 'name-desc', total: true }),
  'domains, oldest first': ({ domains }) => domains.list({ limit: 50, sort: 'oldest', total: true }),
  'domains in the trash': ({ domains }) => domains.list({ limit: 50, deleted: true }),
  'domains by status': ({ domains }) => domains.list({ limit: 50, status: 'suspended' }),
  'domains of a tenant': ({ domains }) => domains.list({ limit: 50, tenantId: some }),
  'a domain': ({ domains }) => domains.find('shop.example.com'),
  'domains to purge': ({ domains }) => domains.expired(now, 10),
  'who has a name': ({ domains }) => domains.holders(['shop.example.com' as never], now),
  'what is below a name': ({ domains }) => domains.relatives('shop.example.com' as never),
  'users, further page': ({ users }) => users.list({ limit: 50, cursor }),
  'users, newest first': ({ users }) => users.list({ limit: 50, sort: 'newest', total: true }),
  'users, oldest first': ({ users }) => users.list({ limit: 50, sort: 'oldest' }),
  'users of a role': ({ users }) => users.list({ limit: 50, roleId: some }),
  'who signs in': ({ users }) => users.credentials('ann@example.org'),
  'what somebody may': ({ users }) => users.permissions(some),
  'users to purge': ({ users }) => users.purgeDeletedBefore(now),
  'databases, newest first': ({ databases }) => databases.list({ limit: 50, sort: 'newest', scope: everything }),
  'applications, newest first': ({ apps }) => apps.list({ limit: 50, scope: everything }),
  'the application of a domain': ({ apps }) => apps.ofDomain(some),
  'jobs, further page': ({ jobs }) => jobs.list({ limit: 50, cursor: newer }),
  'jobs by state': ({ jobs }) => jobs.list({ limit: 50, state: 'failed' }),
  'jobs by type': ({ jobs }) => jobs.list({ limit: 50, type: 'tenant.purge' }),
  'jobs by type and state': ({ jobs }) => jobs.list({ limit: 50, type: 'tenant.create', state: 'failed' }),
  'jobs of a tenant': ({ jobs }) => jobs.list({ limit: 50, tenantId: some }),
  'jobs of a domain': ({ jobs }) => jobs.list({ limit: 50, resourceId: some }),
  'jobs to send': ({ jobs }) => jobs.nextRunnable(8),
  'jobs under way': ({ jobs }) => jobs.inStates(['running', 'stalled'], 100),
  'old jobs': ({ jobs }) => jobs.purgeFinishedBefore(now, 100),
  'cron jobs, further page': ({ crons }) => crons.list({ limit: 50, cursor, scope: everything }),
  'cron jobs that are due': ({ crons }) => crons.due(100),
  'cron jobs that nobody looks after': ({ crons }) => crons.overdue(now, 200),
  'cron jobs that fail': ({ crons }) => crons.failing(200),
  'cron jobs that were missed': ({ crons }) => crons.missed(200),
  'cron jobs to purge': ({ crons }) => crons.purge(now),
  'runs of a cron job': ({ cronRuns }) => cronRuns.list({ limit: 50, cronId: some }),
  'runs that have gone on': ({ cronRuns }) => cronRuns.overtaken(100),
  'runs that wait': ({ cronRuns }) => cronRuns.late(now, 200),
  'a run that has not ended': ({ cronRuns }) => cronRuns.isBusy(some),
  'the trail, further page': ({ audit }) => audit.list({ limit: 50, cursor: newer }),
  'the trail, refusals': ({ audit }) => audit.list({ limit: 50, outcome: 'refused' }),
  'the trail, refusals of an action': ({ audit }) =>
    audit.list({ limit: 50, outcome: 'refused', action: 'auth.login' }),
  'the trail, failures of somebody': ({ audit }) => audit.list({ limit: 50, outcome: 'failed', actor: 'root' }),
  'the trail of a person': ({ audit }) => audit.list({ limit: 50, actorUserId: some as Id }),
  'the trail of an address': ({ audit }) => audit.list({ limit: 50, ipAddress: '192.0.2.1' }),
  'the trail of a tenant': ({ audit }) => audit.list({ limit: 50, tenantId: some as Id }),
}

/**
 * Those of one name, alive and in the trash; no more jobs than run at once; and the domains that are suspended, themselves or
 * with their tenant, which are few of all: they are found by two indices, and no order of one index is theirs.
 */
const isSortOfFew = new Set(['a tenant', 'a domain', 'jobs under way', 'domains by status'])

it.each(Object.entries(asked))('%s', async (title, ask) => {
  const prepare = vi.spyOn(Sqlite.prototype, 'prepare')
  await ask(panel.stores(panel.db))
  const texts = prepare.mock.calls.map(([text]) => text).filter((text) => /^(select|delete|update)/.test(text))
  prepare.mockRestore()

  const plans = await Promise.all(texts.map(async (text) => ({ text, steps: await planOf(text) })))
  const steps = plans.flatMap((plan) => plan.steps)

  const isUnbounded = isSortOfFew.has(title) ? /^SCAN/ : /^SCAN|^USE TEMP B-TREE FOR ORDER BY/
  expect(texts.length).toBeGreaterThan(0)
  // A scan in the order of an index ends with the page that is shown.
  expect(steps.filter((step) => isUnbounded.test(step) && !/^SCAN \w+ USING (COVERING )?INDEX/.test(step))).toEqual([])
  // What is found by having nothing in a column may be everything.
  expect(plans.filter((plan) => plan.steps.some((step) => isByNothing(step, plan.text)))).toEqual([])
})

function isByNothing(step: string, text: string): boolean {
  const column = /INDEX \w+ \((\w+)=\?\)$/.exec(step)?.[1]
  return column !== undefined && text.includes(`"${column}" is null`)
}

async function planOf(text: string): Promise<string[]> {
  const parameters = Array.from({ length: text.match(/\?/g)?.length ?? 0 }, () => randomUUID())
  const explain = CompiledQuery.raw(`explain query plan ${text}`, parameters)
  return (await panel.db.executeQuery<{ detail: string }>(explain)).rows.map(({ detail }) => detail)
}
