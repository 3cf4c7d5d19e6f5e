/** Where the machine differs from what the registry wants: the facts of every tenant and site, looked at once more. */
import { setImmediate as yieldTurn } from 'node:timers/promises'
import { Fqdn } from '../contract/values.ts'
import type { Change, DriftReport } from '../contract/wire.ts'
import { failureOf } from './failure.ts'
import type { Machine } from './os/machine.ts'
import { checkAll } from './plan.ts'
import { identity } from './provisioners/judge.ts'
import { absentHost, docrootFact, siteFacts } from './provisioners/site-facts.ts'
import { absentAccount, closedTenant, liveTenant, tenantFacts } from './provisioners/tenant-facts.ts'
import type { Registry, SiteRecord, TenantRecord } from './registry.ts'
import type { Step } from './steps/step.ts'

/** @param isBusy tenants that a job is changing now are left out. */
export async function findDrift(
  registry: Registry,
  machine: Machine,
  isBusy: (tenant: TenantRecord) => boolean,
): Promise<DriftReport> {
  const report: DriftReport = []
  for (const tenant of registry.tenants()) {
    for (const [resource, steps] of wanted(registry, machine, tenant)) {
      await yieldTurn() // jobs and heartbeats go first
      if (isBusy(tenant)) break
      const changes = await differences(steps, machine)
      if (changes.length > 0 && !isBusy(tenant)) report.push({ resource, changes })
    }
  }
  const strays = await differences(await strayHosts(registry, machine), machine)
  if (strays.length > 0) report.push({ resource: 'routing table', changes: strays })
  return report
}

async function differences(steps: readonly Step[], machine: Machine): Promise<Change[]> {
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

/** The facts of a tenant and of its sites, by resource. */
export type Wanted = readonly (readonly [resource: string, steps: readonly Step[]])[]

export function wanted(registry: Registry, machine: Machine, tenant: TenantRecord): Wanted {
  const who = identity(tenant)
  const name = `tenant ${tenant.name}`
  if (tenant.state === 'trashed') return [[name, [closedTenant(machine, who), ...absentAccount(machine, who)]]]
  if (tenant.state !== 'active' && tenant.state !== 'suspended') return []
  const state = tenant.state === 'active' ? liveTenant(machine, who) : closedTenant(machine, who)
  const sites = registry.sitesOf(tenant.id).filter(isLiving)
  return [
    [name, [...tenantFacts(machine, who, tenant.limits), state]],
    ...sites.map((site): Wanted[number] => [
      `domain ${site.fqdn}`,
      [...siteFacts(machine, who, site, site.state === 'active'), docrootFact(machine, who, site)],
    ]),
  ]
}

function isLiving({ state }: SiteRecord): boolean {
  return state === 'active' || state === 'suspended'
}

/** The absence of names that answer although no site has them. */
export async function strayHosts(registry: Registry, machine: Machine): Promise<readonly Step[]> {
  const found = await machine.files.list(machine.places.web.hosts)
  const known = new Set(registry.hostNames()) // after the list: a name is claimed before it is linked
  const names = found.filter((name) => !known.has(name))
  const hosts = names.map((name) => Fqdn.safeParse(name)).flatMap(({ data }) => (data === undefined ? [] : [data]))
  return hosts.map((host) => absentHost(machine, host))
}
