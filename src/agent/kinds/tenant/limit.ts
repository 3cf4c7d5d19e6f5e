import type { TenantLimits } from '../../../contract/values.ts'
import { tenantLimit } from '../../../resources/tenant/jobs.ts'
import { renderFpmConfig } from '../../render/fpm.ts'
import { appliedLimits } from '../../steps/applied-limits.ts'
import { stoppedFpm } from '../../steps/stopped-fpm.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { fpmConfigFact } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly before: TenantLimits
  readonly after: TenantLimits
  /** PHP reads its own numbers only when it starts. */
  readonly concernsPhp: boolean
}

export const limitTenant = provision(tenantLimit, {
  async target({ tenant: id, limits: after }, { registry, machine }): Promise<Target> {
    const { name, limits: before, ...rest } = tenantIn(registry, id, ['active', 'suspended'])
    const [old, fresh] = [before, after].map((limits) => renderFpmConfig(machine.places, { name, limits }))
    return { tenant: identity({ name, limits: before, ...rest }), before, after, concernsPhp: old !== fresh }
  },
  // at once, so that a start of PHP during the job has the new ones
  reserve: (registry, { tenant, after }) => registry.setLimits(tenant.id, after),
  steps({ tenant, after, concernsPhp }, machine) {
    const { name } = tenant
    const record = machine.places.web.limits(name)
    const limits = appliedLimits({ tenant: name, limits: after, record, owner: { uid: 0, gid: 0 } })
    return concernsPhp ? [fpmConfigFact(machine, tenant, after), limits, stoppedFpm(name)] : [limits]
  },
  settle() {},
  release: (registry, { tenant, before }) => registry.setLimits(tenant.id, before),
})
