/** What the journal keeps and forgets, and which job holds up which: by table. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { Journal, type JournaledJob } from './journal.ts'
import { migrateAgent } from './migrate-agent.ts'
import { agentMigrations } from './migrations/index.ts'
import { Registry } from './registry.ts'

let database: Database
let journal: Journal

const newId = () => Id.parse(randomUUID())
const tenant = newId()
const site = newId()
const failure = { step: null, code: 'internal', message: 'Cannot', help: 'Mend' } as const
const never = '1970-01-01T00:00:00.000Z'

beforeEach(() => {
  database = openDatabase(':memory:')
  migrateAgent(database, agentMigrations)
  journal = new Journal(database)
  const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
  const registry = new Registry(database)
  registry.addTenant({ id: tenant, name: 'acme' as never, uid: 20_000, state: 'active', limits })
  registry.addSite({
    id: site,
    tenant,
    fqdn: 'shop.example.com' as never,
    aliases: [],
    php: null,
    apart: null,
    state: 'active',
    https: 'redirect',
    settings: {},
  })
})

let token = 0
/** Accepted at the hour of a day. */
function accept(resource: Id, hour: number, of = tenant, type = 'domain.update'): JournaledJob {
  token++
  const job = { id: newId(), type, resource, tenant: of, token, epoch: 0, staff: true, reseller: null }
  const accepted = journal.accept({ ...job, payload: {} }, at(hour), () => {})
  if (accepted.verdict !== 'accepted') throw new Error(accepted.verdict)
  return accepted.job
}

const at = (hour: number) => `2026-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`

async function ended(resource: Id, hour: number, of = tenant, type?: string): Promise<JournaledJob> {
  const job = accept(resource, hour, of, type)
  await journal.finish(job, null, () => {})
  return job
}

const left = () => database.prepare<[], string>('select id from jobs order by seq').pluck().all()
const fences = () => new Set(database.prepare<[], string>('select resource from fences').pluck().all())
const everything = { before: at(23), beyond: { before: at(23), most: 0 } }
const nothingBeyond = { before: never, most: 0 }

describe('what is forgotten', () => {
  it('is what ended before the moment, told or not, but the last job of each tenant and site that is there', async () => {
    const jobs = [await ended(site, 1), await ended(site, 2), await ended(tenant, 3), await ended(site, 4)]

    journal.forget({ before: at(4), beyond: nothingBeyond })

    expect(left()).toEqual([jobs[2]?.id, jobs[3]?.id])
  })

  it.each(['queued', 'running', 'undoing', 'stuck'] as const)('is never a job that is %s', async (state) => {
    const open = accept(site, 1)
    if (state === 'running') await journal.begin(open, null, '0.0.0', () => {})
    if (state === 'undoing') journal.undoing(open, failure)
    if (state === 'stuck') journal.stuck(open, failure)
    const last = await ended(site, 2)

    journal.forget(everything)

    expect(left()).toEqual([open.id, last.id])
  })

  it('are all above a number, oldest first, but what a brake still counts', async () => {
    const jobs: JournaledJob[] = []
    for (let hour = 1; hour <= 6; hour++) jobs.push(await ended(site, hour))

    journal.forget({ before: never, beyond: { before: at(20), most: 4 } })
    expect(left()).toEqual(jobs.slice(2).map(({ id }) => id))
    journal.forget({ before: never, beyond: { before: at(4), most: 1 } })
    expect(left()).toEqual(jobs.slice(3).map(({ id }) => id))
  })

  it.each(['tenant.delete', 'domain.delete'])('is never the last %s of what is in the trash', async (type) => {
    const resource = type === 'tenant.delete' ? tenant : site
    const registry = new Registry(database)
    const deleted = await ended(resource, 1, tenant, type)
    if (type === 'tenant.delete') registry.setTenantState(tenant, 'trashed')
    else registry.setSiteState(site, 'trashed')
    const later = await ended(resource, 2)

    journal.forget(everything)

    expect(left()).toEqual([deleted.id, later.id])
    expect(registry.trashedAt(resource)).toBe(at(1))
  })

  it('are jobs and fences of what the registry does not know', async () => {
    await ended(newId(), 1, newId())
    await ended(site, 2)
    accept(newId(), 3, newId())
    const open = left().at(-1)

    journal.forget(everything)

    expect(left()).toHaveLength(2)
    expect(left()).toContain(open)
    expect(fences().size).toBe(2)
    expect(fences()).toContain(site)
  })

  it('are sites that were purged, with their fences, once their jobs are; their tenant stays for its uid', async () => {
    await ended(site, 1)
    await ended(tenant, 2)
    const registry = new Registry(database)
    registry.setSiteState(site, 'none')
    registry.setTenantState(tenant, 'none')

    journal.forget({ before: at(1), beyond: nothingBeyond })
    expect(registry.site(site)).toBeDefined()
    journal.forget(everything)

    expect(registry.site(site)).toBeUndefined()
    expect(fences().size).toBe(0)
    expect(registry.tenant(tenant)).toBeDefined()
    expect(registry.nextUid()).toBe(20_001)
  })
})

describe('a stuck job', () => {
  const cases = [
    ['of the tenant, before a job of its site', tenant, tenant, 'older'],
    ['of a site, before a job of the tenant', site, tenant, 'older'],
    ['of another tenant', site, newId(), undefined],
  ] as const

  it.each(cases)('%s', (_what, resource, of, expected) => {
    const stuck = accept(resource, 1, of)
    journal.stuck(stuck, failure)
    const job = accept(newId(), 2)

    expect(journal.stuckBefore(job)?.id).toBe(expected === undefined ? undefined : stuck.id)
    expect(journal.stuckBefore(stuck)).toBeUndefined()
    expect(journal.isUnsettled(of)).toBe(true)
  })

  it.each(['queued', 'running', 'undoing', 'succeeded'] as const)('is not one that is %s', async (state) => {
    const older = accept(site, 1)
    if (state === 'running') await journal.begin(older, null, '0.0.0', () => {})
    if (state === 'undoing') journal.undoing(older, failure)
    if (state === 'succeeded') await journal.finish(older, null, () => {})

    expect(journal.stuckBefore(accept(tenant, 2))).toBeUndefined()
    expect(journal.unsettled().some(({ id }) => id === older.id)).toBe(state !== 'succeeded')
  })
})
