/** Puts a tenant back to what the registry wants of it: the facts that the look for drift checks, as steps of a job. */
import type { TenantLimits } from '../../../contract/values.ts'
import { tenantRepair } from '../../../resources/tenant/jobs.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { type Owned, ownedBy, ownedFacts } from '../owned.ts'
import { provision } from '../provisioner.ts'
import { closedTenant, liveTenant, tenantFacts } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly owned: Owned
  readonly isLive: boolean
}

export const repairTenant = provision(tenantRepair, {
  async target({ tenant: id }, { registry }): Promise<Target> {
    const found = tenantIn(registry, id, ['active', 'suspended'])
    const { limits, state } = found
    return { tenant: identity(found), limits, owned: ownedBy(registry, id), isLive: state === 'active' }
  },
  steps: ({ tenant, limits, owned, isLive }, machine) => [
    ...tenantFacts(machine, tenant, limits),
    ...ownedFacts(machine, tenant, owned),
    isLive ? liveTenant(machine, tenant) : closedTenant(machine, tenant),
  ],
  settle() {},
})
