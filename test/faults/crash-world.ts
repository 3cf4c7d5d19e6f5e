/** What is on the machine and in both stores, as text that is the same for the same state: names instead of ids and uids. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { factsKinds } from '../../src/agent/kinds/facts-kinds.ts'
import type { Layout } from '../../src/agent/os/layout.ts'
import { type Database, openDatabase } from '../../src/program/native-sqlite.ts'
import { mark } from './crash-jobs.ts'
import { type AgentJob, type ClientEvent, type History, loggedEnds, type PanelJob } from './history.ts'

type Row = Readonly<Record<string, string | number | null>>
type Rename = (text: string) => string

/** Files with owner, mode, target and content; the agent's registry; the panel's rows. One line each, sorted. */
export function worldText(places: Layout): string {
  return withStores(places, ({ agent, panel }) => {
    const rename = renaming(agent, panel)
    return [
      ...[...manifest(places, rename)].sort(),
      ...lines(agent, 'select name, uid, state, limits from tenants', 'registry tenant', rename),
      ...lines(agent, 'select id, fqdn, aliases, php, state, https from sites', 'registry site', rename),
      ...lines(agent, 'select name, site from hosts', 'registry host', rename),
      ...lines(agent, 'select kind, name, tenant, record from things', 'registry thing', rename),
      ...lines(panel, tenantRows, 'panel tenant', rename),
      ...lines(panel, domainRows, 'panel domain', rename),
      ...lines(panel, nameRows, 'panel name', rename),
      ...things.flatMap(({ kind, table, name }) =>
        lines(panel, `select ${name}, status, status_before_tenant from ${table}`, `panel ${kind}`, rename),
      ),
    ].join('\n')
  })
}

/** What a tenant owns beside its sites. */
const things = [
  ...factsKinds.map(({ kind }) => ({ kind, table: `${kind.replaceAll('-', '_')}s`, name: 'name' })),
  { kind: 'certificate', table: 'certificates', name: 'fqdn' },
]

const tenantRows = `select t.name, t.status, p.name as package, t.deleted_at is not null as deleted, t.limits_owed
  from tenants t join packages p on p.id = t.package_id`
const domainRows = 'select fqdn, php, status, status_before_tenant, deleted_at is not null as deleted from domains'
const nameRows =
  'select n.name, d.fqdn, n.deleted_at is not null as deleted from domain_names n join domains d on d.id = n.domain_id'

/** What the registry says of tenants and what they own against what the panel's rows say; none when they agree. */
export function disagreements(places: Layout): readonly string[] {
  return withStores(places, ({ agent, panel }) => {
    const registry = new Map([...stateRows(agent)].filter(([, state]) => state !== 'none'))
    const owned = ['domains', ...things.map(({ table }) => table)]
    const query = [
      'select id, status, 0 as "with" from tenants',
      ...owned.map((table) => `select id, status, status_before_tenant is not null from ${table}`),
    ]
    const rows = panel.prepare<[], { id: string; status: string; with: number }>(query.join(' union all ')).all()
    const expected: Readonly<Record<string, string | undefined>> = {
      active: 'active',
      suspended: 'suspended',
      deleted: 'trashed',
      error: undefined, // a creation that failed: the panel keeps what was wished
    }
    const wrong = rows.flatMap(({ id, status, with: isWithTenant }) => {
      const is = registry.get(id)
      registry.delete(id)
      // a site in the trash with its tenant keeps its own state in the registry
      // a failed creation that was deleted; one that the agent lost is found by the history
      if (status === 'deleted' && is === undefined) return []
      const isRight = isWithTenant ? is !== undefined : status in expected && is === expected[status]
      return isRight ? [] : [`${id} is ${status} for the panel and ${is ?? 'unknown'} for the agent`]
    })
    return [...wrong, ...[...registry].map(([id, state]) => `${id} is ${state} for the agent and unknown to the panel`)]
  })
}

/** Both sides of the history of this machine, at rest. @param output what the agent has printed since `client` began */
export function readHistory(places: Layout, client: readonly ClientEvent[], output: string): History {
  return withStores(places, ({ agent, panel }) => ({
    client,
    panel: panel
      .prepare<[], Row>('select * from jobs order by sequence')
      .all()
      .map((row) => panelJob(panel, row)),
    agent: agent.prepare<[], AgentJob>('select id, type, tenant, resource, token, seq, state from jobs').all(),
    ends: loggedEnds(output),
    fences: new Map(
      agent
        .prepare<[], { resource: string; token: number }>('select resource, token from fences')
        .all()
        .map(({ resource, token }) => [resource, token]),
    ),
    registry: stateRows(agent),
  }))
}

function panelJob(panel: Database, row: Row): PanelJob {
  const steps = panel
    .prepare<[string], PanelJob['steps'][number]>(
      'select name, started_at as startedAt, finished_at as finishedAt from job_steps where job_id = ? order by position',
    )
    .all(String(row.id))
  return {
    id: String(row.id),
    type: String(row.type),
    // a purged tenant has no row any more; its jobs still have it as what they were about
    tenant: String(row.tenant_id ?? row.resource_id),
    resource: String(row.resource_id),
    name: String(row.resource_name),
    token: Number(row.token),
    sequence: Number(row.sequence),
    state: String(row.state) as PanelJob['state'], // the panel's own word
    actor: String(row.actor),
    startedAt: textOrNull(row.started_at),
    finishedAt: textOrNull(row.finished_at),
    steps,
  }
}

function textOrNull(value: Row[string] | undefined): string | null {
  return value == null ? null : String(value)
}

function stateRows(agent: Database): Map<string, string> {
  const query = `select id, state from tenants union all select id, state from sites where state <> 'none'
    union all select id, 'active' from things`
  const rows = agent.prepare<[], { id: string; state: string }>(query).all()
  return new Map(rows.map(({ id, state }) => [id, state]))
}

interface Stores {
  readonly agent: Database
  readonly panel: Database
}

function withStores<T>(places: Layout, look: (stores: Stores) => T): T {
  const agent = openDatabase(places.agentDatabase, { readonly: true, timeout: 10_000 })
  const panel = openDatabase(join(places.panelState, 'state.db'), { readonly: true, timeout: 10_000 })
  try {
    return look({ agent, panel })
  } finally {
    agent.close()
    panel.close()
  }
}

function lines(database: Database, query: string, what: string, rename: Rename): readonly string[] {
  const rows = database.prepare<[], Row>(query).all()
  return rows.map((row) => rename(`${what} ${Object.values(row).join(' | ')}`)).sort()
}

/** Ids and uids are new in each run. */
function renaming(agent: Database, panel: Database): Rename {
  const names = new Map<string, string>()
  for (const { id, fqdn } of panel.prepare<[], { id: string; fqdn: string }>('select id, fqdn from domains').all())
    names.set(id, `<${fqdn}>`)
  for (const { id, fqdn } of agent.prepare<[], { id: string; fqdn: string }>('select id, fqdn from sites').all())
    names.set(id, `<${fqdn}>`)
  for (const { id, name } of agent.prepare<[], { id: string; name: string }>('select id, name from things').all())
    names.set(id, `<${name}>`)
  const tenants = agent
    .prepare<[], { id: string; name: string; uid: number }>('select id, name, uid from tenants')
    .all()
  for (const { id, name, uid } of tenants) {
    names.set(id, `<${name}>`)
    names.set(String(uid), `<uid of ${name}>`)
  }
  const pattern = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\d.])[2-5]\d{4}(?!\d)/g
  return (text) => text.replaceAll(pattern, (found) => names.get(found) ?? found)
}

function* manifest(places: Layout, rename: Rename): Generator<string> {
  const { root, panelState, agentState } = places
  const skipped = new Set([panelState, agentState])
  for (const top of ['etc', 'srv', 'var/lib', 'var/log/wcp360/tenants'].map((path) => join(root, path))) {
    for (const path of walk(top, skipped))
      if (!isLog(root, path) && basename(path) !== mark) yield rename(entry(root, path, rename))
  }
}

function* walk(path: string, skipped: ReadonlySet<string>): Generator<string> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || skipped.has(path)) return
  yield path
  if (found.isDirectory()) for (const name of readdirSync(path)) yield* walk(join(path, name), skipped)
}

/** Written by who runs for the tenant: PHP's log is there once it was awake. */
function isLog(root: string, path: string): boolean {
  return path.startsWith(join(root, 'var/log')) && !lstatSync(path).isDirectory()
}

function entry(root: string, path: string, rename: Rename): string {
  const stats = lstatSync(path)
  const place = `${relative(root, path)} ${(stats.mode & 0o177777).toString(8)} ${stats.uid} ${stats.gid}`
  if (stats.isSymbolicLink()) return `${place} -> ${readlinkSync(path).replace(root, '')}`
  if (!stats.isFile()) return place
  if (basename(path) === 'privkey.pem') return `${place} a key` // another one each time it is made
  const text = readFileSync(path, 'latin1')
  // the record of an adoption tells when it was
  const same = path.endsWith('.adopted.json') ? text.replace(/"at": "[^"]*"/, '"at"') : text
  return `${place} ${digest(rename(same))}`
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16)
}
