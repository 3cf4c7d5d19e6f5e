/** The prober over the store of a large server, beside an nginx that answers for every site: what a minute of it costs. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { migrations, storesFor } from '../src/resources/index.ts'
import { siteProber } from '../src/resources/probe/prober.ts'
import type { Stores } from '../src/resources/stores.ts'
import type { Db } from '../src/store/database.ts'
import { encodeJson } from '../src/store/json.ts'
import { migrate } from '../src/store/migrate.ts'
import { newId } from '../src/store/new-id.ts'
import { openStore } from '../src/store/open-store.ts'
import { freePorts, type Ports } from '../test/support/free-ports.ts'
import { type Bench, type Figure, progress } from './bench.ts'
import { fillStore, population, type Tenant } from './population.ts'
import { processorSeconds } from './usage.ts'

const perTenant = 10
const minutes = 2
const key = new Uint8Array(32)

export const probes: Bench = {
  name: 'probes',
  summary: 'a look at each site once a minute, half of them with a certificate',
  needs: ['/usr/sbin/nginx'],
  async run({ sites }) {
    const folder = mkdtempSync(join(tmpdir(), 'wcp-bench-probes-'))
    const db = openStore(join(folder, 'state.db'))
    const ports = await freePorts()
    const nginx = startNginx(folder, ports)
    try {
      await migrate(db, new Date().toISOString(), { migrations })
      const tenants = population({ tenants: Math.ceil(sites / perTenant), domainsPerTenant: perTenant })
      await fillStore(db, tenants, key)
      await certify(db, tenants)
      return await measure(db, { ports, nginx: nginx.pid ?? 0, sites: tenants.length * perTenant })
    } finally {
      nginx.kill('SIGTERM')
      await db.destroy()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

const storesOf = (on: Db): Stores =>
  storesFor(on, { now: new Date().toISOString(), newId, keys: { audit: key, seal: key, codes: key, domains: key } })

interface Place {
  readonly ports: Ports
  /** Its one process. */
  readonly nginx: number
  readonly sites: number
}

async function measure(db: Db, { ports, nginx, sites }: Place): Promise<readonly Figure[]> {
  const prober = siteProber({
    db,
    storesOf,
    web: { visit: async () => ({ failure: 'not asked' }), nameServers: ['127.0.0.1:9'] },
    ports: () => ({ http: ports.http, https: ports.https }),
    log: pino({ level: 'warn' }),
  })
  prober.start()
  progress('the first minute, which writes a row for each')
  await sleep(65_000)
  progress(`${minutes} more`)
  const [used, ofNginx, began] = [process.cpuUsage(), processorSeconds(nginx), performance.now()]
  await sleep(minutes * 60_000)
  const { user, system } = process.cpuUsage(used)
  const took = performance.now() - began
  const served = (processorSeconds(nginx) - ofNginx) * 1000
  await prober.stop()
  const found = await db.selectFrom('site_probes').select(['state', 'days', 'https']).execute()
  const days = found.flatMap((row): { up: number; down: number }[] => JSON.parse(row.days))
  const looks = days.reduce((sum, { up, down }) => sum + up + down, 0)
  return [
    {
      name: `probes: processor time for ${sites} sites, as a part of a core`,
      value: (user + system) / 1000 / took,
      unit: 'ratio',
      target: '<= 0.05',
    },
    { name: 'probes: that of nginx beside it', value: served / took, unit: 'ratio', target: null },
    {
      name: 'probes: looks at a site in a minute',
      value: looks / sites / (minutes + 65 / 60),
      unit: 'count',
      target: '>= 0.98',
    },
    {
      name: 'probes: sites that did not answer',
      value: days.reduce((sum, { down }) => sum + down, 0),
      unit: 'count',
      target: '<= 0',
    },
    {
      name: 'probes: sites whose certificate was looked at',
      value: found.filter(({ https }) => https !== 'null').length,
      unit: 'count',
      target: null,
    },
  ]
}

/** Of every second site: the prober looks at HTTPS where one is served. */
async function certify(db: Db, tenants: readonly Tenant[]): Promise<void> {
  const now = new Date().toISOString()
  const common = { created_at: now, updated_at: now, status: 'active', version: 1, status_before_tenant: null }
  const certified = {
    source: 'authority',
    chain: '',
    issuer: 'x',
    progress: 'served',
    tries: 0,
    not_before: now,
    not_after: '2099-01-01T00:00:00.000Z',
  }
  await db.transaction().execute(async (tx) => {
    for (const { id, sites } of tenants)
      for (const site of sites.filter((_, at) => at % 2 === 0))
        await tx
          .insertInto('certificates')
          .values({
            id: newId(),
            ...common,
            ...certified,
            tenant_id: id,
            domain_id: site.id,
            fqdn: site.fqdn,
            names: encodeJson([]),
          } as never)
          .execute()
  })
}

function startNginx(folder: string, { http, https }: Ports) {
  const [certificate, secret] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const pair = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    secret,
    '-out',
    certificate,
  ]
  execFileSync('/usr/bin/openssl', ['req', '-x509', '-days', '2', '-subj', '/CN=x', ...pair], { stdio: 'ignore' })
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
    events { worker_connections 256; }
    http { access_log off; server { listen 127.0.0.1:${http}; listen 127.0.0.1:${https} ssl; keepalive_requests 1000;
    ssl_certificate ${certificate}; ssl_certificate_key ${secret}; return 204; } }`,
  )
  return spawn('/usr/sbin/nginx', ['-c', config, '-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] })
}
