import { tenantSuspend, tenantUnsuspend } from '../../../resources/tenant/jobs.ts'
import { stoppedTenant } from '../../steps/stopped-tenant.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { closedTenant, liveTenant } from './facts.ts'

/** First nothing new reaches the tenant, then what runs is stopped. */
export const suspendTenant = provision(tenantSuspend, {
  target: existing,
  steps: (tenant, machine) => [closedTenant(machine, tenant), stoppedTenant(tenant.name)],
  settle: (registry, { id }) => registry.setTenantState(id, 'suspended'),
})

export const unsuspendTenant = provision(tenantUnsuspend, {
  target: existing,
  steps: (tenant, machine) => [liveTenant(machine, tenant)],
  settle: (registry, { id }) => registry.setTenantState(id, 'active'),
})

async function existing({ tenant }: { tenant: Tenant['id'] }, { registry }: World): Promise<Tenant> {
  return identity(tenantIn(registry, tenant, ['active', 'suspended']))
}
