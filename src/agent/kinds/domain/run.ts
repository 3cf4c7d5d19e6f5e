import type { TenantCommand } from '../../../contract/tenant-command.ts'
import type { Fqdn, Id, TenantLimits } from '../../../contract/values.ts'
import { domainRun } from '../../../resources/domain/jobs.ts'
import type { Machine } from '../../os/machine.ts'
import type { TenantRun } from '../../os/run-as/tenant-run.ts'
import { endedRun } from '../../steps/ended-run.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'

export type RunTarget = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly fqdn: Fqdn
  readonly php: string | null
  readonly run: Id
  readonly command: TenantCommand
  readonly seconds: number
}

/** Of a tenant without limits of its own, so that a slip does not take the machine. */
const ordinary = { memMb: 2048, pids: 512 }

export const runInDomain = provision(domainRun, {
  async target({ tenant: id, domain, run, command, seconds }, { registry }: World): Promise<RunTarget> {
    const tenant = tenantIn(registry, id, ['active'])
    const { fqdn, php } = siteIn(registry, id, domain, ['active'])
    return { tenant: identity(tenant), limits: tenant.limits, fqdn, php, run, command, seconds }
  },
  steps: (target, machine) => [endedRun(runOf(target, machine))],
  settle() {},
})

export function runOf({ tenant, limits, fqdn, php, run, command, seconds }: RunTarget, { places }: Machine): TenantRun {
  return {
    id: run,
    ...{ name: tenant.name, uid: tenant.uid, gid: tenant.gid },
    command,
    php,
    directory: places.customers.docroot(tenant.name, fqdn),
    limits: { seconds, memMb: limits.memMb ?? ordinary.memMb, pids: limits.pids ?? ordinary.pids },
    sliceLimits: limits,
  }
}
