import { sshAccesses, type TenantLimits } from '../../../contract/values.ts'
import { tenantLimit } from '../../../resources/tenant/jobs.ts'
import { absentPath } from '../../steps/absent-path.ts'
import { appliedLimits } from '../../steps/applied-limits.ts'
import { endedSessions } from '../../steps/ended-sessions.ts'
import { stoppedFpm } from '../../steps/stopped-fpm.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { accountFacts, fpmConfig, fpmConfigFact } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly before: TenantLimits
  readonly after: TenantLimits
  /** Of a job that 0.1.0 began, which stopped PHP. */
  readonly concernsPhp?: boolean
}

/** Running processes go on: the slice changes under them, and PHP reads its own numbers when it starts next (`isOutdated`). */
export const limitTenant = provision(tenantLimit, {
  async target({ tenant: id, limits: after }, { registry }): Promise<Target> {
    const found = tenantIn(registry, id, ['active', 'suspended'])
    return { tenant: identity(found), before: found.limits, after }
  },
  // at once, so that a start of PHP during the job has the new ones
  reserve: (registry, { tenant, after }) => registry.setLimits(tenant.id, after),
  steps({ tenant, before, after, concernsPhp }, machine) {
    const { name } = tenant
    const isAnother = fpmConfig(machine, tenant, before).text !== fpmConfig(machine, tenant, after).text
    const record = machine.places.web.limits(name)
    return [
      // what SSH gives stands there
      ...accountFacts(machine, tenant, after),
      fpmConfigFact(machine, tenant, after),
      // an adopted text was meant for the numbers before, and must not come back with them
      ...(isAnother ? [absentPath(machine.places.web.fpmAdopted(name))] : []),
      appliedLimits({ tenant, limits: after, record, owner: { uid: 0, gid: 0 } }),
      ...(givesLess(before, after) ? [endedSessions(name)] : []),
      ...(concernsPhp ? [stoppedFpm(name)] : []),
    ]
  },
  settle() {},
  release: (registry, { tenant, before }) => registry.setLimits(tenant.id, before),
})

/** By SSH. */
function givesLess({ sshAccess: before = 'none' }: TenantLimits, { sshAccess: after = 'none' }: TenantLimits): boolean {
  return sshAccesses.indexOf(after) < sshAccesses.indexOf(before)
}
