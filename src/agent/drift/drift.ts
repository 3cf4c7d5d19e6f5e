/** Where the machine differs from what the registry wants: the facts of every tenant and site, looked at once more. */
import { Fqdn, type Id, type TenantName } from '../../contract/values.ts'
import type { Change, DriftPage, DriftReport } from '../../contract/wire.ts'
import { adoptionsOf } from '../adopted-text.ts'
import { failureOf } from '../jobs/failure.ts'
import { checkAll } from '../jobs/plan.ts'
import type { Registry, SiteRecord, TenantRecord } from '../jobs/registry.ts'
import { chainsOf } from '../kinds/certificate/facts.ts'
import { databaseFacts, livingDatabasesOf } from '../kinds/database/facts.ts'
import { absentHost, docrootFact, siteFacts } from '../kinds/domain/facts.ts'
import { identity } from '../kinds/judge.ts'
import { ownedAbsence, ownedBy, ownedFacts } from '../kinds/owned.ts'
import { absentAccount, closedTenant, fpmConfig, liveTenant, tenantFacts } from '../kinds/tenant/facts.ts'
import type { Machine } from '../os/machine.ts'
import type { Step } from '../steps/step.ts'

export interface LookForDrift {
  /** Tenants that a job is changing now are left out. */
  readonly isBusy: (tenant: TenantRecord) => boolean
  /** Awaited after each tenant. */
  readonly between: () => Promise<void>
  /** False: there is no time for another tenant; how many are left is in the report. */
  readonly mayGoOn: () => boolean
}

/** So many tenants are read from the registry at once. */
const tenantsAtOnce = 100

export async function findDrift(registry: Registry, machine: Machine, look: LookForDrift): Promise<DriftReport> {
  const report: DriftReport = []
  for (let last: TenantName | '' = ''; ; ) {
    const tenants = registry.tenantsAfter(last, tenantsAtOnce)
    for (const { id, name } of tenants) {
      if (!look.mayGoOn()) return [...report, notLookedAt(registry, last)]
      report.push(...(await tenantDrift(registry, machine, id, look)))
      await look.between()
      last = name
    }
    if (tenants.length === 0) break
  }
  const strays = await differences(await strayHosts(registry, machine), machine)
  if (strays.length > 0) report.push({ resource: 'routing table', changes: strays })
  return report
}

/** Tenants in a page, and the size of their differences after which it ends. */
const tenantsInPage = 250
const bytesInPage = 100 * 1024

/** A part of the look, so that all of it can be spread over hours and goes on where it was. */
export async function driftPage(
  registry: Registry,
  machine: Machine,
  look: LookForDrift,
  after: TenantName | null,
): Promise<DriftPage> {
  const tenants = registry.tenantsAfter(after ?? '', tenantsInPage)
  const items: DriftReport = []
  for (const [place, { id, name }] of tenants.entries()) {
    items.push(...withAdoption(await tenantDrift(registry, machine, id, look), await adoption(registry, machine, id)))
    await look.between()
    const isFull = !look.mayGoOn() || JSON.stringify(items).length > bytesInPage || place === tenantsInPage - 1
    if (isFull) return { items: withinMessage(items), next: name }
  }
  const strays = await differences(await strayHosts(registry, machine), machine)
  if (strays.length > 0) items.push({ resource: 'routing table', changes: strays })
  return { items: withinMessage(items), next: null }
}

/** What of a tenant was adopted, which is no drift. */
async function adoption(registry: Registry, machine: Machine, id: Id): Promise<DriftReport> {
  const tenant = registry.tenant(id)
  if (tenant === undefined || !machine.files.existsNow(machine.places.web.fpmAdopted(tenant.name))) return []
  const changes = await adoptionsOf(machine, fpmConfig(machine, identity(tenant), tenant.limits))
  return changes.length === 0 ? [] : [{ resource: `tenant ${tenant.name}`, changes }]
}

/** One entry for each thing. */
function withAdoption(report: DriftReport, adopted: DriftReport): DriftReport {
  const others = adopted.filter(({ resource }) => !report.some((one) => one.resource === resource))
  const more = new Map(adopted.map(({ resource, changes }) => [resource, changes]))
  return [...report.map((one) => ({ ...one, changes: [...one.changes, ...(more.get(one.resource) ?? [])] })), ...others]
}

function notLookedAt(registry: Registry, after: TenantName | ''): DriftReport[number] {
  let left = 0
  for (let last = after; ; ) {
    const more = registry.tenantsAfter(last, tenantsAtOnce)
    const end = more.at(-1)
    if (end === undefined) break
    left += more.length
    last = end.name
  }
  const step = `time was up: tenants that were not looked at: ${left}, after "${after}" in the order of their names`
  return { resource: 'others', changes: [{ step, action: 'change', diff: null }] }
}

/** A difference is checked a second time: a job may have come and gone between reading the registry and the first look. */
async function tenantDrift(registry: Registry, machine: Machine, id: Id, look: LookForDrift): Promise<DriftReport> {
  const once = await tenantDriftNow(registry, machine, id, look)
  return once.length === 0 ? [] : await tenantDriftNow(registry, machine, id, look)
}

async function tenantDriftNow(registry: Registry, machine: Machine, id: Id, look: LookForDrift): Promise<DriftReport> {
  const tenant = registry.tenant(id)
  if (tenant === undefined || look.isBusy(tenant)) return []
  const report: DriftReport = []
  for (const [resource, steps] of wanted(registry, machine, tenant)) {
    const changes = await differences(steps, machine)
    if (changes.length > 0) report.push({ resource, changes })
  }
  return look.isBusy(tenant) ? [] : report
}

/** A fact that cannot be looked at differs, and the others are looked at all the same. */
export async function differences(steps: readonly Step[], machine: Machine): Promise<Change[]> {
  const changes: Change[] = []
  for (const step of steps) {
    try {
      changes.push(...(await checkAll([step], machine)).filter(({ action }) => action !== 'same'))
    } catch (error) {
      changes.push({ step: step.name, action: 'change', diff: failureOf(error, step.name).message })
    }
  }
  return changes
}

/** After an upgrade of a template every site may differ: what one message cannot hold is counted instead. */
const mostBytes = 200 * 1024

export function withinMessage(report: DriftReport): DriftReport {
  let bytes = 0
  const told = report.findIndex((entry) => {
    bytes += Buffer.byteLength(JSON.stringify(entry))
    return bytes > mostBytes
  })
  if (told === -1) return report
  const more = `${report.length - told} more differ; they are shown when these are settled`
  return [...report.slice(0, told), { resource: 'others', changes: [{ step: more, action: 'change', diff: null }] }]
}

/** The facts of a tenant and its databases, and of its sites, by resource. */
export type Wanted = readonly (readonly [resource: string, steps: readonly Step[]])[]

export function wanted(registry: Registry, machine: Machine, tenant: TenantRecord): Wanted {
  const who = identity(tenant)
  const name = `tenant ${tenant.name}`
  const databases = livingDatabasesOf(registry, tenant.id).flatMap((one) =>
    databaseFacts(one, tenant.state === 'active'),
  )
  const owned = ownedBy(registry, tenant.id)
  if (tenant.state === 'trashed') {
    const gone = [...ownedAbsence(machine, who, owned), ...absentAccount(machine, who)]
    return [[name, [closedTenant(machine, who), ...gone]]]
  }
  if (tenant.state !== 'active' && tenant.state !== 'suspended') return []
  const state = tenant.state === 'active' ? liveTenant(machine, who) : closedTenant(machine, who)
  const sites = registry.sitesOf(tenant.id).filter(isLiving)
  const chains = chainsOf(registry, tenant.id)
  const ownOf = ({ id, https }: SiteRecord) => {
    const chain = chains.get(id)
    return chain == null ? null : { chain, https }
  }
  return [
    [name, [...tenantFacts(machine, who, tenant.limits), ...ownedFacts(machine, who, owned), ...databases, state]],
    ...sites.map((site): Wanted[number] => [
      `domain ${site.fqdn}`,
      [
        ...siteFacts(machine, who, site, { isLive: site.state === 'active', own: ownOf(site) }),
        docrootFact(machine, who, site),
      ],
    ]),
  ]
}

function isLiving({ state }: SiteRecord): boolean {
  return state === 'active' || state === 'suspended'
}

/** The absence of names that answer although no site has them. */
export async function strayHosts(registry: Registry, machine: Machine): Promise<readonly Step[]> {
  const found = await machine.files.list(machine.places.web.hosts)
  const names = found.filter((name) => !registry.isHost(name)) // after the list: a name is claimed before it is linked
  const hosts = names.map((name) => Fqdn.safeParse(name)).flatMap(({ data }) => (data === undefined ? [] : [data]))
  return hosts.map((host) => absentHost(machine, host))
}
