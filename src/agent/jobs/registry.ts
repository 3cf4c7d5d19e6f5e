/** The registry of everything on this machine: who owns which name, uid and host. The panel's word is never enough (B6). */
import { z } from 'zod'
import { DatabaseEngine } from '../../contract/database.ts'
import { WcpError } from '../../contract/errors.ts'
import { SiteSettings } from '../../contract/site-settings.ts'
import { EgressPolicy, Fqdn, HttpsPolicy, Id, PhpVersion, TenantLimits, TenantName } from '../../contract/values.ts'
import { Inventory } from '../../contract/wire.ts'
import { type Database, statementsOf } from '../../program/native-sqlite.ts'
import { uidRange } from '../os/tenant-uids.ts'
import type { Json } from '../steps/step.ts'

const State = z.enum(['making', 'active', 'suspended', 'trashed', 'purging', 'none'])
export type State = z.infer<typeof State>

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text) => JSON.parse(text))
    .pipe(schema)

const TenantRow = z.strictObject({ id: Id, name: TenantName, uid: z.int(), state: State, limits: json(TenantLimits) })
export type TenantRecord = z.output<typeof TenantRow>

const SiteRow = z.strictObject({
  id: Id,
  tenant: Id,
  fqdn: Fqdn,
  aliases: json(z.array(Fqdn)),
  php: PhpVersion.nullable(),
  /** Its PHP is a master of that version beside the tenant's own; null: the tenant's own. */
  apart: PhpVersion.nullable(),
  state: State,
  https: HttpsPolicy,
  settings: json(SiteSettings),
})
export type SiteRecord = z.output<typeof SiteRow>
export type SiteOptions = {
  readonly aliases: readonly Fqdn[]
  readonly php: PhpVersion | null
  readonly apart?: PhpVersion | null
  readonly https?: HttpsPolicy
  readonly settings?: SiteSettings
}

/** A thing of a tenant whose presence on the machine is a list of facts. `record`: the payload that made it what it is. */
const ThingRow = z.strictObject({ id: Id, kind: z.string(), tenant: Id, name: z.string(), record: json(z.unknown()) })
export interface ThingRecord extends z.output<typeof ThingRow> {
  readonly record: Json
}

const HostRow = z.strictObject({ name: Fqdn, site: Id, tenant: Id })
export type HostRecord = z.output<typeof HostRow>

/** A site or database keeps its own state while its tenant is in the trash, where it is, too. */
const inventories: Readonly<Record<string, string>> = {
  tenants: "select id, name, state from tenants where state <> 'none' and id > ? order by id limit ?",
  domains: `select s.id, s.fqdn as name, iif(t.state in ('trashed', 'purging'), t.state, s.state) as state
    from sites s join tenants t on t.id = s.tenant where s.state <> 'none' and s.id > ? order by s.id limit ?`,
  database: `select o.id, o.name, iif(t.state in ('trashed', 'purging'), t.state, json_extract(o.record, '$.state')) as state
    from things o join tenants t on t.id = o.tenant where o.kind = 'database' and o.id > ? order by o.id limit ?`,
}

/** A thing is as its tenant is. */
const thingsOfKind = `select o.id, o.name, t.state from things o join tenants t on t.id = o.tenant
  where o.kind = ? and o.id > ? order by o.id limit ?`

export const isDeletion = "type in ('tenant.delete', 'domain.delete', 'database.delete') and state = 'succeeded'"

/** Reads are open to every provisioner; what writes is called in the transaction that begins or ends a job. */
export class Registry {
  readonly #database: Database
  readonly #prepare: ReturnType<typeof statementsOf>
  #foreseen: ReadonlyMap<Id, TenantRecord> = new Map()

  constructor(database: Database) {
    this.#database = database
    this.#prepare = statementsOf(database)
  }

  /** The same registry with tenants in it that are only planned. */
  foreseeing(tenants: readonly TenantRecord[]): Registry {
    const ahead = new Registry(this.#database)
    ahead.#foreseen = new Map(tenants.map((tenant) => [tenant.id, tenant]))
    return ahead
  }

  tenant(id: Id): TenantRecord | undefined {
    const foreseen = this.#foreseen.get(id)
    if (foreseen !== undefined) return foreseen
    return this.#one(TenantRow, 'select * from tenants where id = ?', id)
  }

  tenantNamed(name: TenantName): TenantRecord | undefined {
    return this.#one(TenantRow, "select * from tenants where name = ? and state <> 'none'", name)
  }

  tenants(): readonly TenantRecord[] {
    return this.#all(TenantRow, "select * from tenants where state <> 'none' order by name")
  }

  /** Of those that have another than the usual one. */
  egressPolicies(): readonly (readonly [uid: number, policy: EgressPolicy])[] {
    const row = z.strictObject({ uid: z.int(), policy: EgressPolicy })
    const policy = "json_extract(limits, '$.egress')"
    const query = `select uid, ${policy} as policy from tenants where state <> 'none' and ${policy} is not null`
    return this.#all(row, query).map((found) => [found.uid, found.policy] as const)
  }

  /** The next of `tenants` in their order. @param after name of the last one, or nothing for the first ones */
  tenantsAfter(after: TenantName | '', limit: number): readonly TenantRecord[] {
    const query = "select * from tenants where state <> 'none' and name > ? order by name limit ?"
    return this.#all(TenantRow, query, after, limit)
  }

  /** In the order of ids, without what was purged. @param after the last one before them */
  inventory(of: string, after: Id | null, limit: number): Inventory {
    const query = Object.hasOwn(inventories, of) ? inventories[of] : undefined
    if (query !== undefined) return Inventory.parse(this.#prepare(query).all(after ?? '', limit))
    return Inventory.parse(this.#prepare(thingsOfKind).all(of, after ?? '', limit))
  }

  site(id: Id): SiteRecord | undefined {
    return this.#one(SiteRow, 'select * from sites where id = ?', id)
  }

  /** Without what was purged. */
  sitesOf(tenant: Id): readonly SiteRecord[] {
    return this.#all(SiteRow, "select * from sites where tenant = ? and state <> 'none' order by fqdn", tenant)
  }

  /** When the last deletion of a tenant, site or database was accepted that succeeded, as far as the journal remembers. */
  trashedAt(id: Id): string | undefined {
    const row = z.strictObject({ at: z.string().nullable() })
    const query = `select max(accepted_at) as at from jobs where resource = ? and ${isDeletion}`
    return this.#one(row, query, id)?.at ?? undefined
  }

  /** On which servers tenants have databases, those in the trash included. */
  databaseEngines(): readonly DatabaseEngine[] {
    const query = "select distinct json_extract(record, '$.engine') as engine from things where kind = 'database'"
    return this.#all(z.strictObject({ engine: DatabaseEngine }), query).map(({ engine }) => engine)
  }

  thing(id: Id): ThingRecord | undefined {
    return this.#one(ThingRow, 'select * from things where id = ?', id) as ThingRecord | undefined
  }

  /** All of one kind that the tenant has, in the order of their ids. */
  thingsOf(tenant: Id, kind: string): readonly ThingRecord[] {
    return this.#all(
      ThingRow,
      'select * from things where tenant = ? and kind = ? order by id',
      tenant,
      kind,
    ) as readonly ThingRecord[]
  }

  /** All of one kind that bear a name, whosever they are. */
  thingsNamed(kind: string, name: string): readonly ThingRecord[] {
    const query = 'select * from things where kind = ? and name = ?'
    return this.#all(ThingRow, query, kind, name) as readonly ThingRecord[]
  }

  /** Which site answers for a name, and whose it is. */
  host(name: Fqdn): HostRecord | undefined {
    const query = 'select h.name, h.site, s.tenant from hosts h join sites s on s.id = h.site where h.name = ?'
    return this.#one(HostRow, query, name)
  }

  /** Whether a site answers for the name, which may be any text. */
  isHost(name: string): boolean {
    return this.#prepare('select 1 from hosts where name = ?').get(name) !== undefined
  }

  /** A name below this one that answers for another tenant. */
  hostBelow(name: Fqdn, notOf: Id): HostRecord | undefined {
    const query = `select h.name, h.site, s.tenant from hosts h join sites s on s.id = h.site
      where h.backwards > ? and h.backwards < ? and s.tenant <> ? limit 1`
    const start = backwards(name)
    return this.#one(HostRow, query, `${start}.`, `${start}/`, notOf) // "/" follows "." in ASCII
  }

  /** The first uid above all that were ever given out; one that was reserved by a job that came to nothing is given again. */
  nextUid(): number {
    const row = z.strictObject({ uid: z.int().nullable() })
    const highest = this.#one(row, 'select max(uid) as uid from tenants')?.uid
    return highest == null ? uidRange.first : highest + 1
  }

  addTenant(tenant: TenantRecord): void {
    const values = { ...tenant, limits: JSON.stringify(tenant.limits) }
    this.#write('insert into tenants (id, name, uid, state, limits) values (@id, @name, @uid, @state, @limits)', values)
  }

  setTenantState(id: Id, state: State): void {
    this.#write('update tenants set state = ? where id = ?', state, id)
  }

  setLimits(id: Id, limits: TenantLimits): void {
    this.#write('update tenants set limits = ? where id = ?', JSON.stringify(limits), id)
  }

  /** Only for a reservation that came to nothing: what ever existed keeps its row, so that its uid is never given again. */
  dropTenant(id: Id): void {
    this.#write("delete from tenants where id = ? and state = 'making'", id)
  }

  addSite(site: SiteRecord): void {
    const values = { ...site, aliases: JSON.stringify(site.aliases), settings: JSON.stringify(site.settings) }
    const columns = 'id, tenant, fqdn, aliases, php, apart, state, https, settings'
    const row = '@id, @tenant, @fqdn, @aliases, @php, @apart, @state, @https, @settings'
    this.#write(`insert into sites (${columns}) values (${row})`, values)
  }

  setSiteState(id: Id, state: State): void {
    this.#write('update sites set state = ? where id = ?', state, id)
  }

  /** `https`, `settings`: as they are unless given. */
  setSite(id: Id, { aliases, php, apart = null, https, settings }: SiteOptions): void {
    const change = 'aliases = ?, php = ?, apart = ?, https = coalesce(?, https), settings = coalesce(?, settings)'
    const values = [
      JSON.stringify(aliases),
      php,
      apart,
      https ?? null,
      settings === undefined ? null : JSON.stringify(settings),
    ]
    this.#write(`update sites set ${change} where id = ?`, ...values, id)
  }

  /** Only for a reservation that came to nothing. */
  dropSite(id: Id): void {
    this.releaseHosts(id)
    this.#write("delete from sites where id = ? and state = 'making'", id)
  }

  /** The site's own names stay its own; a name of another site is a conflict. */
  claimHosts(site: Id, names: readonly Fqdn[]): void {
    for (const name of names) {
      const owner = this.host(name)?.site
      if (owner === site) continue
      if (owner !== undefined) throw new WcpError('conflict', `Cannot use the name "${name}": another site has it`)
      this.#write('insert into hosts (name, backwards, site) values (?, ?, ?)', name, backwards(name), site)
    }
  }

  /** All names of a site but those that are kept. */
  releaseHosts(site: Id, keep: readonly Fqdn[] = []): void {
    const owned = this.#all(z.strictObject({ name: Fqdn }), 'select name from hosts where site = ?', site)
    for (const { name } of owned) {
      if (!keep.includes(name)) this.#write('delete from hosts where name = ?', name)
    }
  }

  putThing(thing: ThingRecord): void {
    const values = { ...thing, record: JSON.stringify(thing.record) }
    const columns = 'id, kind, tenant, name, record'
    const change = 'name = excluded.name, record = excluded.record'
    this.#write(
      `insert into things (${columns}) values (@id, @kind, @tenant, @name, @record) on conflict (id) do update set ${change}`,
      values,
    )
  }

  dropThing(id: Id): void {
    this.#write('delete from things where id = ?', id)
  }

  dropThingsOf(tenant: Id): void {
    this.#write('delete from things where tenant = ?', tenant)
  }

  get isSetupClosed(): boolean {
    const row = z.strictObject({ value: z.string() })
    return this.#one(row, "select value from meta where key = 'setup_closed'") !== undefined
  }

  closeSetup(now: string): void {
    this.#write("insert or ignore into meta (key, value) values ('setup_closed', ?)", now)
  }

  #one<T extends z.ZodType>(row: T, query: string, ...values: unknown[]): z.output<T> | undefined {
    const found = this.#prepare(query).get(...values)
    return found === undefined ? undefined : row.parse(found)
  }

  #all<T extends z.ZodType>(row: T, query: string, ...values: unknown[]): readonly z.output<T>[] {
    return this.#prepare(query)
      .all(...values)
      .map((found) => row.parse(found))
  }

  #write(query: string, ...values: unknown[]): void {
    this.#prepare(query).run(...values)
  }
}

function backwards(name: Fqdn): string {
  return [...name].reverse().join('')
}
