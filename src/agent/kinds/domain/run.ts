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

/** As the payload of either job asks for it. */
export type RunWish = { readonly tenant: Id; readonly domain: Id } & Pick<RunTarget, 'run' | 'command' | 'seconds'>

/** The one way to a run, whoever asks for it. */
export const running = {
  async target({ tenant: id, domain, run, command, seconds }: RunWish, { registry }: World): Promise<RunTarget> {
    const tenant = tenantIn(registry, id, ['active'])
    const { fqdn, php } = siteIn(registry, id, domain, ['active'])
    return { tenant: identity(tenant), limits: tenant.limits, fqdn, php, run, command, seconds }
  },
  steps: (target: RunTarget, machine: Machine) => [endedRun(runOf(target, machine))],
  settle() {},
}

export const runInDomain = provision(domainRun, running)

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
