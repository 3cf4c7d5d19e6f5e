/** Puts a tenant back to what the registry wants of it: the facts that the look for drift checks, as steps of a job. */
import type { TenantLimits } from '../../../contract/values.ts'
import { tenantRepair } from '../../../resources/tenant/jobs.ts'
import { type Database, databaseFacts, livingDatabasesOf } from '../database/facts.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { type Owned, ownedBy, ownedFacts } from '../owned.ts'
import { provision } from '../provisioner.ts'
import { closedTenant, liveTenant, ownFpmConfig, tenantFacts } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly owned: Owned
  readonly databases: readonly Database[]
  readonly isLive: boolean
  /** What was adopted is put back as well. */
  readonly isWhole: boolean
}

export const repairTenant = provision(tenantRepair, {
  async target({ tenant: id, adopted = false }, { registry }): Promise<Target> {
    const found = tenantIn(registry, id, ['active', 'suspended'])
    const { limits, state } = found
    const isLive = state === 'active'
    const databases = livingDatabasesOf(registry, id)
    return { tenant: identity(found), limits, owned: ownedBy(registry, id), databases, isLive, isWhole: adopted }
  },
  steps: ({ tenant, limits, owned, databases, isLive, isWhole }, machine) => [
    ...(isWhole ? ownFpmConfig(machine, tenant, limits) : []),
    ...tenantFacts(machine, tenant, limits),
    ...ownedFacts(machine, tenant, owned),
    ...databases.flatMap((one) => databaseFacts(one, isLive)),
    isLive ? liveTenant(machine, tenant) : closedTenant(machine, tenant),
  ],
  settle() {},
})
