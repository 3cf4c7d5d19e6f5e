/** A hosting business of any size, written straight into the product's own tables: the same rows that its operations leave, without the days they would take. */
import { randomUUID } from 'node:crypto'
import type { Insertable } from 'kysely'
import type { Fqdn, Id, TenantLimits, TenantName } from '../src/contract/values.ts'
import { reversedName } from '../src/lib/domain-name.ts'
import { headId } from '../src/resources/audit/append.ts'
import { checksumOf, firstChecksum, sealOf } from '../src/resources/audit/chain.ts'
import type { Database, Db } from '../src/store/database.ts'
import { encodeJson } from '../src/store/json.ts'

export interface Size {
  readonly tenants: number
  readonly domainsPerTenant: number
}

/** As issue 3 wants it: 10,000 tenants and 50,000 domains. */
export const fullSize: Size = { tenants: 10_000, domainsPerTenant: 5 }

export interface Site {
  readonly id: Id
  readonly fqdn: Fqdn
  readonly alias: Fqdn
}

export interface Tenant {
  readonly id: Id
  readonly name: TenantName
  readonly owner: Id
  readonly sites: readonly Site[]
}

export const limits: TenantLimits = { cpuPct: 100, memMb: 512, pids: 128, ioMbps: null, diskMb: 10_240 }

/** Steps of the two creations, as long as the real lists. */
const steps = { tenant: 17, domain: 9 }

export function population({ tenants, domainsPerTenant }: Size): readonly Tenant[] {
  return Array.from({ length: tenants }, (_, index) => {
    const name = nameOf(index)
    const sites = Array.from({ length: domainsPerTenant }, (_, place) => siteOf(index, place, name))
    return { id: newId(), name: name as TenantName, owner: newId(), sites }
  })
}

const first = 'amber birch cedar delta ember fjord grove haven iris juniper kestrel lotus maple nova olive pearl'.split(
  ' ',
)
const second =
  'bakery books cycles dental design farm garden hotel legal media motors music photo sports studio travel'.split(' ')
const endings = ['com', 'net', 'org', 'de', 'fr']

/** `mapletravel4711`: words spread over the alphabet, so that lists and searches meet what they meet in life. */
function nameOf(index: number): string {
  return `${first[index % first.length]}${second[Math.floor(index / first.length) % second.length]}${index}`
}

function siteOf(index: number, place: number, name: string): Site {
  const word = second[(index + place) % second.length]
  const fqdn = `${place === 0 ? '' : `${word}.`}${name}.${endings[index % endings.length]}` as Fqdn
  return {
    id: newId(),
    fqdn: (place < 2 ? fqdn : `${word}-${name}.${endings[place]}`) as Fqdn,
    alias: `www.${fqdn}` as Fqdn,
  }
}

const newId = () => randomUUID() as Id

/** @param auditKey the panel's, so that the trail verifies. The store is migrated and without tenants. */
export async function fillStore(db: Db, tenants: readonly Tenant[], auditKey: Uint8Array): Promise<void> {
  const clock = clockFrom(Date.now() - 80 * 86_400_000, (80 * 86_400_000) / (tenants.length * 24))
  await db.transaction().execute(async (tx) => {
    const write = new Writer(tx)
    const packageId = await aPackage(tx, clock())
    const { id: role } = await tx.selectFrom('roles').select('id').where('name', '=', 'user').executeTakeFirstOrThrow()
    const trail = new Trail(write, auditKey)
    let sequence = 0
    for (const tenant of tenants) {
      const at = clock()
      const common = { created_at: at, updated_at: at }
      // Owner and tenant point at each other: the user's half is set at the end.
      await write.add('users', {
        id: tenant.owner,
        ...common,
        email: emailOf(tenant),
        password_hash: 'x',
        status: 'active',
      })
      await write.add('user_roles', { id: newId(), ...common, user_id: tenant.owner, role_id: role })
      await write.add('tenants', tenantRow(tenant, packageId, common))
      await write.job(
        { type: 'tenant.create', kind: 'tenant', sequence: ++sequence, id: tenant.id, name: tenant.name },
        tenant,
        clock,
      )
      await trail.add('tenant.create', tenant, { input: { name: tenant.name }, id: tenant.id }, clock())
      await trail.add('auth.login', tenant, {}, clock())
      for (const site of tenant.sites) {
        await writeSite(write, tenant, site, { created_at: at, updated_at: at })
        await write.job(
          { type: 'domain.create', kind: 'domain', sequence: ++sequence, id: site.id, name: site.fqdn },
          tenant,
          clock,
        )
        await trail.add('domain.create', tenant, { input: { domain: site.fqdn }, id: site.id }, clock())
      }
    }
    await write.flush()
    await trail.seal(tx)
    await tx
      .updateTable('users')
      .set((eb) => ({
        tenant_id: eb.selectFrom('tenants').select('tenants.id').whereRef('tenants.owner_id', '=', 'users.id'),
      }))
      .where('password_hash', '=', 'x')
      .execute()
  })
}

export const emailOf = ({ name }: Pick<Tenant, 'name'>) => `owner@${name}.example.com`

async function aPackage(tx: Db, at: string): Promise<string> {
  const found = await tx.selectFrom('packages').select('id').limit(1).executeTakeFirst()
  if (found !== undefined) return found.id
  const [id, common] = [newId(), { created_at: at, updated_at: at }]
  await tx
    .insertInto('packages')
    .values({ id, ...common, name: 'standard', description: '', is_system: 0, is_default: 1 })
    .execute()
  const { cpuPct, memMb, pids, diskMb } = limits
  await tx
    .insertInto('package_limits')
    .values({
      ...{ id: newId(), ...common, package_id: id, features: '{}', max_domains: 10 },
      ...{ max_cpu_pct: cpuPct, max_mem_mb: memMb, max_pids: pids, max_disk_mb: diskMb },
    })
    .execute()
  return id
}

interface Moments {
  readonly created_at: string
  readonly updated_at: string
}

function tenantRow({ id, name, owner }: Tenant, packageId: string, common: Moments): Row<'tenants'> {
  const own = { name, linux_user: name, package_id: packageId, owner_id: owner }
  return { id, ...common, ...own, status: 'active', version: 1, limits_owed: 0 }
}

async function writeSite(write: Writer, { id: tenant_id }: Tenant, site: Site, common: Moments): Promise<void> {
  const { id, fqdn, alias } = site
  await write.add('domains', {
    id,
    ...common,
    tenant_id,
    fqdn,
    php: '8.2',
    status: 'active',
    version: 1,
    settings: '{}',
  })
  for (const [name, is_alias] of [
    [fqdn, 0],
    [alias, 1],
  ] as const) {
    const named = { name, reversed: reversedName(name), is_alias }
    await write.add('domain_names', { id: newId(), ...common, domain_id: id, tenant_id, ...named })
  }
}

type Row<T extends keyof Database> = Insertable<Database[T]>

/** Rows go out in their order, many in one statement; what points at a row comes after it. */
class Writer {
  readonly #tx: Db
  readonly #waiting = new Map<keyof Database, object[]>()

  constructor(tx: Db) {
    this.#tx = tx
  }

  async add<T extends keyof Database>(table: T, row: Row<T>): Promise<void> {
    const rows = this.#waiting.get(table) ?? []
    this.#waiting.set(table, rows)
    rows.push(row)
    if (rows.length >= 1000) await this.flush()
  }

  /** In the order in which the tables were met first, which is that of their references. */
  async flush(): Promise<void> {
    for (const [table, rows] of this.#waiting) {
      if (rows.length > 0)
        await this.#tx
          .insertInto(table)
          .values(rows as never)
          .execute() // one table, one kind of row
      rows.length = 0
    }
  }

  async job(
    about: { type: string; kind: 'tenant' | 'domain'; sequence: number; id: Id; name: string },
    tenant: Tenant,
    clock: () => string,
  ): Promise<void> {
    const { type, kind, sequence, name } = about
    const [id, at, ended] = [newId(), clock(), clock()]
    const common = { created_at: at, updated_at: ended }
    const resource = {
      resource_kind: kind,
      resource_id: about.id,
      resource_name: name,
      lock_key: `${kind}:${about.id}`,
    }
    const hasFailed = sequence % 100 === 0
    const failure = { step: 'a step', code: 'machine_failed', message: 'Cannot do it', help: 'Try again' }
    await this.add('jobs', {
      ...{ id, ...common, sequence, type, payload: encodeJson({ [kind]: about.id }), ...resource },
      ...{ state: hasFailed ? 'failed' : 'succeeded', failure: hasFailed ? encodeJson(failure) : null },
      ...{
        tenant_id: tenant.id,
        token: 1,
        epoch: 0,
        is_staff: 1,
        previous_status: 'pending',
        row_before: '{}',
        attempts: 1,
      },
      ...{ heartbeat_at: at, started_at: at, finished_at: ended, actor: 'root', log: '' },
    })
    for (let position = 0; position < steps[kind]; position++) {
      const step = { name: `directory /srv/www/${name}/${position}`, state: 'done', started_at: at, finished_at: ended }
      await this.add('job_steps', { id: newId(), ...common, job_id: id, position, ...step })
    }
  }
}

/** The audit trail, chained as the panel chains it. */
class Trail {
  readonly #write: Writer
  readonly #key: Uint8Array
  #checksum = firstChecksum
  #sequence = 0

  constructor(write: Writer, key: Uint8Array) {
    this.#write = write
    this.#key = key
  }

  async add(action: string, tenant: Tenant, metadata: Record<string, unknown>, at: string): Promise<void> {
    const who = { actor: emailOf(tenant), actorId: tenant.owner, tenantId: tenant.id }
    const [id, requestId, ip] = [newId(), randomUUID(), '192.0.2.7']
    const sequence = ++this.#sequence
    const entry = { id, sequence, at, ...who, action, outcome: 'ok' as const, metadata, ip, requestId }
    this.#checksum = checksumOf(this.#key, this.#checksum, entry)
    await this.#write.add('audit_logs', {
      ...{ id, created_at: at, updated_at: at, sequence, actor: who.actor, actor_id: who.actorId, ip },
      ...{ tenant_id: who.tenantId, action, outcome: 'ok', metadata: encodeJson(metadata), request_id: requestId },
      checksum: this.#checksum,
    })
  }

  async seal(tx: Db): Promise<void> {
    const at = new Date().toISOString()
    const [sequence, checksum] = [this.#sequence, this.#checksum]
    await tx.deleteFrom('audit_heads').execute()
    await tx
      .insertInto('audit_heads')
      .values({
        id: headId,
        created_at: at,
        updated_at: at,
        sequence,
        checksum,
        seal: sealOf(this.#key, sequence, checksum),
      })
      .execute()
  }
}

function clockFrom(start: number, stepMs: number): () => string {
  let now = start
  return () => {
    now += stepMs
    return new Date(now).toISOString()
  }
}
