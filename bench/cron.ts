/** The scheduler of cron jobs over the store of a large server: what jobs cost that wait, and how late those are that are due. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import type { TenantCommand } from '../src/contract/tenant-command.ts'
import { nextDue } from '../src/resources/cron/due.ts'
import { cronScheduler } from '../src/resources/cron/scheduler.ts'
import { migrations, storesFor } from '../src/resources/index.ts'
import type { Stores } from '../src/resources/stores.ts'
import type { Db } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'
import { newId } from '../src/store/new-id.ts'
import { openStore } from '../src/store/open-store.ts'
import { type Bench, type Figure, percentile, progress } from './bench.ts'
import { fillStore, population, type Tenant } from './population.ts'
import { memoryOf } from './usage.ts'

const idle = 10_000
const startsPerSecond = 50
const seconds = 60
const idleMs = 20_000
const key = new Uint8Array(32)

export const cron: Bench = {
  name: 'cron',
  summary: `${idle} cron jobs that wait, and ${startsPerSecond} that are due each second, in SQLite`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'wcp-bench-cron-'))
    const db = openStore(join(folder, 'state.db'))
    try {
      await migrate(db, new Date().toISOString(), { migrations })
      const tenants = population({ tenants: 200, domainsPerTenant: 1 })
      await fillStore(db, tenants, key)
      return await measure(db, tenants)
    } finally {
      await db.destroy()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

const storesOf = (on: Db): Stores =>
  storesFor(on, {
    now: new Date().toISOString(),
    newId,
    keys: { audit: key, seal: key, codes: key, domains: key },
  })

async function measure(db: Db, tenants: readonly Tenant[]): Promise<readonly Figure[]> {
  const scheduler = cronScheduler({ db, storesOf, log: pino({ level: 'warn' }), onQueued: () => {} })
  const looks = Math.ceil(idle / 100) + 1 // the first ones plan everything anew
  await look(scheduler, looks)
  progress(`making ${idle} cron jobs that wait`)
  await insert(db, tenants, { count: idle, schedule: '0 4 29 2 *', jitterSeconds: 0 })
  const before = memoryWithoutGarbage() // making them is not what is measured
  await look(scheduler, looks)
  scheduler.start()
  const used = process.cpuUsage()
  const began = performance.now()
  await sleep(idleMs)
  const { user, system } = process.cpuUsage(used)
  const share = (user + system) / 1000 / (performance.now() - began)
  const grown = memoryWithoutGarbage() - before
  progress(`${startsPerSecond} a second for ${seconds} s`)
  const lateness = await starts(db, tenants)
  await scheduler.stop()
  return [
    { name: `cron: memory of ${idle} jobs that wait`, value: grown, unit: 'MB', target: '<= 10' },
    { name: 'cron: processor time of them, as a part of a core', value: share, unit: 'ratio', target: '<= 0.01' },
    {
      name: `cron: starts, of ${startsPerSecond * seconds} a minute`,
      value: lateness.length,
      unit: 'count',
      target: null,
    },
    { name: 'cron: queued after they were due, median', value: percentile(lateness, 50), unit: 'ms', target: null },
    { name: 'cron: queued after they were due, longest', value: Math.max(...lateness), unit: 'ms', target: '<= 2000' },
  ]
}

async function look(scheduler: { wake(): Promise<void> }, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await scheduler.wake()
}

function memoryWithoutGarbage(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return memoryOf(process.pid).anonymous
}

interface Wanted {
  readonly count: number
  readonly schedule: string
  readonly jitterSeconds: number
}

async function insert(db: Db, tenants: readonly Tenant[], { count, schedule, jitterSeconds }: Wanted): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { crons } = storesOf(tx)
    const rest = { timeZone: 'Europe/Berlin', seconds: 60, ifMissed: 'skip', isEnabled: true } as const
    for (let place = 0; place < count; place++) {
      const tenant = tenants[place % tenants.length]
      const site = tenant?.sites[0]
      if (tenant === undefined || site === undefined) throw new Error('each tenant has a site')
      const one = { id: newId(), schedule, timeZone: rest.timeZone, jitterSeconds }
      const nextAt = new Date(nextDue(one, Date.now()) ?? 0).toISOString()
      const of = { tenantId: tenant.id, domainId: site.id, name: `job ${place}` }
      await crons.insert({ ...rest, ...one, ...of, environment: [], command: ['true'] as TenantCommand, nextAt })
    }
  })
}

/** Milliseconds between the moment when each was due and that when its job was queued. */
async function starts(db: Db, tenants: readonly Tenant[]): Promise<number[]> {
  const jitterSeconds = 59 // spreads them over the minute
  await insert(db, tenants, { count: startsPerSecond * seconds, schedule: '* * * * *', jitterSeconds })
  const end = Date.now() + (seconds + 60) * 1000
  while (Date.now() < end) {
    await sleep(100)
    await machine(db)
  }
  const runs = await db
    .selectFrom('cron_runs')
    .select(['due_at', 'created_at'])
    .where('outcome', '!=', 'skipped')
    .execute()
  return runs.map((run) => Date.parse(run.created_at) - Date.parse(run.due_at))
}

/** Its part, as fast as can be: all that waits is done. */
async function machine(db: Db): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { jobs } = storesOf(tx)
    for (const { id, token } of await jobs.nextRunnable(200)) {
      await jobs.delivered(id)
      await jobs.accepted(id, ['command'])
      await jobs.finished(id, token, null)
    }
  })
}
