/** The panel over the state of a large hosting business: pages, lists of command and API, start, and the look for drift. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { sql } from 'kysely'
import { z } from 'zod'
import { deriveKeys } from '../src/panel/auth/keys.ts'
import { migrations } from '../src/resources/index.ts'
import { migrate } from '../src/store/migrate.ts'
import { openStore } from '../src/store/open-store.ts'
import { startPostgres } from '../test/store/postgres.ts'
import { type Bench, type Figure, percentile, timed } from './bench.ts'
import { fillRegistry, makeTrees } from './machine.ts'
import { processorTime } from './panel.ts'
import { emailOf, fillStore, fullSize, population, type Tenant } from './population.ts'
import { Server, withoutLimits } from './server.ts'
import { type View, Visitor, viewSteadily } from './visitor.ts'

const perSecond = 50
const measureMs = 40_000
const admin = { email: 'bench@example.com', password: 'a bench of quiet rivers' }

export const store: Bench = {
  name: 'store',
  summary: 'pages and start with 10,000 tenants and 50,000 domains in SQLite; drift check of 10,000 sites',
  run: () => measure('SQLite', undefined),
}

export const storePostgres: Bench = {
  name: 'store-postgres',
  summary: 'the same with PostgreSQL as the store',
  async run() {
    const cluster = startPostgres()
    try {
      // The socket's directory stays the host that counts; the configuration wants one in its place, too.
      const url = (await cluster.newDatabase()).replace('@/', '@localhost/')
      chmodSync(new URL(url).searchParams.get('host') ?? '', 0o711) // the panel is another user than the cluster's
      return await measure('PostgreSQL', url)
    } finally {
      cluster.stop()
    }
  },
}

async function measure(name: string, url: string | undefined): Promise<readonly Figure[]> {
  const tenants = population(fullSize)
  // One site each on the machine: what is looked at for drift are 10,000 tenants with 10,000 sites. The look also tells
  // that the machine does not have the other domains.
  const onMachine = tenants.map((tenant) => ({ ...tenant, sites: tenant.sites.slice(0, 1) }))
  const server = await Server.start('', async (product) => {
    const { places } = product
    const db = openStore(url ?? `${places.panelState}/state.db`)
    await migrate(db, new Date().toISOString(), { migrations })
    // Half a gigabyte once, which nobody needs after a power cut.
    if (url === undefined) await sql`pragma synchronous = off`.execute(db)
    await fillStore(db, tenants, deriveKeys(readFileSync(places.panelKey, 'utf8')).audit)
    // Else autovacuum does it during the first minute, which is when the pages are looked at.
    if (url !== undefined) await sql`vacuum analyze`.execute(db)
    await db.destroy()
    if (url !== undefined) product.configure(`${withoutLimits}store: ${url}\n`)
    fillRegistry(places.agentDatabase, onMachine)
    await makeTrees(places)
  })
  try {
    await server.call('POST', '/users', { ...admin, role: 'system_admin' })
    const starts = [await server.restart(), await server.restart(), await server.restart()]
    pin(process.pid, 1)
    pin(server.child('panel'), 0)
    const visitor = new Visitor(server.ports.panel)
    await visitor.signIn(admin.email, admin.password)
    const pages = await pagesOf(visitor, tenants)
    await viewSteadily(visitor, pages, { perSecond, isOver: after(5_000) }) // compiled, and in memory
    const before = processorTime(server.child('panel'))
    const views = await viewSteadily(visitor, pages, { perSecond, isOver: after(measureMs) })
    const cpuMs = (processorTime(server.child('panel')) - before) / views.count
    if (views.failed > 0) console.error(views.lastFailure)
    const drift = await whileDrifting(server, visitor, pages)
    visitor.close()
    const p99 = views.percentile(99)
    const named = (what: string) => `${name}: ${what}`
    return [
      { name: named(`pages at ${perSecond}/s, p99`), value: p99, unit: 'ms', target: '<= 20' },
      { name: named('pages, median'), value: views.percentile(50), unit: 'ms', target: null },
      { name: named('processor time of the panel for a page, mean'), value: cpuMs, unit: 'ms', target: null },
      { name: named(`pages that failed, of ${views.count}`), value: views.failed, unit: 'count', target: '<= 0' },
      ...views.kinds.map(
        (kind): Figure => ({
          name: named(`${kind}, p99`),
          value: views.percentile(99, kind),
          unit: 'ms',
          target: '<= 20',
        }),
      ),
      { name: named('start of the daemon, median of 3'), value: percentile(starts, 50), unit: 'ms', target: '<= 3000' },
      { name: named('drift check of 10,000 sites'), value: drift.ms, unit: 'ms', target: '<= 60000' },
      { name: named('drift found where there is none'), value: drift.found, unit: 'count', target: '<= 0' },
      { name: named('tenants that the check had no time for'), value: drift.left, unit: 'count', target: '<= 0' },
      { name: named('pages meanwhile, p99'), value: drift.p99, unit: 'ms', target: null },
      {
        name: named('pages meanwhile, p99 as a part of that without'),
        value: drift.p99 / p99,
        unit: 'ratio',
        target: '<= 1.25',
      },
      ...(await lists(server, tenants, named)),
    ]
  } finally {
    await server.dispose()
  }
}

const after = (ms: number) => {
  const end = performance.now() + ms
  return () => performance.now() > end
}

/** Panel and load on a processor of their own each, where there are two. */
function pin(pid: number, processor: number): void {
  if (availableParallelism() < 2 || !existsSync('/usr/bin/taskset')) return
  execFileSync('/usr/bin/taskset', ['-acp', String(processor), String(pid)], { stdio: 'ignore' })
}

/** Each kind with several things of its kind, so that no single row is the only one that is warm. */
async function pagesOf(visitor: Visitor, tenants: readonly Tenant[]): Promise<readonly View[]> {
  const some = Array.from({ length: 40 }, (_, index) => tenants[(index * 2503) % tenants.length]).filter(
    (one) => one !== undefined,
  )
  const cursor = /cursor=([\w-]+)/.exec(await visitor.page('/domains?search=travel'))?.[1] ?? ''
  return some.flatMap((tenant) => {
    const word = tenant.name.replace(/\d+$/, '').slice(0, 6)
    const site = tenant.sites[2]?.fqdn
    return [
      { kind: 'dashboard', path: '/' },
      { kind: 'list of tenants', path: '/tenants' },
      { kind: 'list of domains', path: '/domains' },
      { kind: 'list of domains, further page', path: `/domains?search=travel&cursor=${cursor}` },
      { kind: 'list of domains by status', path: '/domains?status=suspended' },
      { kind: 'list of users', path: '/users' },
      { kind: 'list of jobs', path: '/jobs?state=failed' },
      { kind: 'audit trail', path: '/audit' },
      { kind: 'search of tenants, many found', path: `/tenants?search=${word}` },
      { kind: 'search of tenants, one found', path: `/tenants?search=${tenant.name}` },
      { kind: 'search of domains, few found', path: `/domains?search=${tenant.name.slice(2)}` },
      { kind: 'search of domains, none found', path: `/domains?search=no-${word}-such` },
      { kind: 'search of users, one found', path: `/users?search=${emailOf(tenant)}` },
      { kind: 'detail of a tenant', path: `/tenants/${tenant.name}` },
      { kind: 'detail of a domain', path: `/domains/${site}` },
      { kind: 'detail of a user', path: `/users/${emailOf(tenant)}` },
      { kind: 'detail of a package', path: '/packages/standard' },
    ]
  })
}

async function whileDrifting(server: Server, visitor: Visitor, pages: readonly View[]) {
  let isDone = false
  let result = { found: 0, left: 0 }
  const drift = timed(async () => {
    result = await driftFound(server)
  }).finally(() => {
    isDone = true
  })
  const [views, ms] = await Promise.all([viewSteadily(visitor, pages, { perSecond, isOver: () => isDone }), drift])
  return { ms, ...result, p99: views.percentile(99) }
}

const Report = z.object({ items: z.array(z.object({ changes: z.array(z.object({ step: z.string() })) })) })

/** On the machine itself. A look that takes longer than the panel waits goes on, and who asks again waits for the same one. */
async function driftFound(server: Server): Promise<{ readonly found: number; readonly left: number }> {
  const deadline = performance.now() + 300_000
  for (;;) {
    try {
      const { items } = Report.parse(await server.call('GET', '/health/drift'))
      const steps = items.flatMap(({ changes }) => changes.map(({ step }) => step))
      const drift = steps.filter((step) => !step.startsWith('not there on the machine') && !isCount.test(step))
      const left = drift.flatMap((step) => Number(notLookedAt.exec(step)?.[1] ?? [])).reduce((sum, one) => sum + one, 0)
      return { found: drift.filter((step) => !notLookedAt.test(step)).length, left }
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}

/** The look ends before the panel's patience does (`src/agent/drift/drift-main.ts`). */
const notLookedAt = /^time was up: tenants that were not looked at: (\d+)/
const isCount = /^\d+ more tenants and domains differ/

/** First and later pages of what `wcp` and the API list, 50 times each over the private socket. */
async function lists(server: Server, tenants: readonly Tenant[], named: (what: string) => string): Promise<Figure[]> {
  const [first] = tenants
  const asked = {
    'GET /tenants': '/tenants?limit=200',
    'GET /domains': '/domains?limit=200',
    'GET /domains of a tenant': `/domains?tenant=${first?.name}`,
    'GET /users': '/users?limit=200',
    'GET /jobs': '/jobs?limit=200',
    'GET /audit': '/audit?limit=200',
  }
  const figures: Figure[] = []
  for (const [what, path] of Object.entries(asked)) {
    const samples: number[] = []
    let cursor: string | null = null
    for (let page = 0; page < 50; page++) {
      const next: string = cursor === null ? path : `${path}&cursor=${cursor}`
      samples.push(
        await timed(async () => {
          cursor = ((await server.call('GET', next)) as { nextCursor: string | null }).nextCursor // a list's answer
        }),
      )
    }
    figures.push({
      name: named(`${what}, 200 a page, p95 of 50 pages`),
      value: percentile(samples, 95),
      unit: 'ms',
      target: null,
    })
  }
  return figures
}
