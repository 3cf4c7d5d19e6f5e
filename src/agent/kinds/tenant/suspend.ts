import { tenantSuspend, tenantUnsuspend } from '../../../resources/tenant/jobs.ts'
import { stoppedTenant } from '../../steps/stopped-tenant.ts'
import { closedDatabases, type Database, livingDatabasesOf, openDatabases } from '../database/facts.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { closedTenant, liveTenant } from './facts.ts'

type Target = Tenant & { readonly databases?: readonly Database[] }

/** First nothing new reaches the tenant, then what runs is stopped, and whoever still has a connection to a database loses it. */
export const suspendTenant = provision(tenantSuspend, {
  target: existing,
  steps: (tenant, machine) => [
    closedTenant(machine, tenant),
    stoppedTenant(tenant.name),
    ...closedDatabases(tenant.databases),
  ],
  settle: (registry, { id }) => registry.setTenantState(id, 'suspended'),
})

export const unsuspendTenant = provision(tenantUnsuspend, {
  target: existing,
  steps: (tenant, machine) => [...openDatabases(tenant.databases), liveTenant(machine, tenant)],
  settle: (registry, { id }) => registry.setTenantState(id, 'active'),
})

async function existing({ tenant }: { tenant: Tenant['id'] }, { registry }: World): Promise<Target> {
  const found = identity(tenantIn(registry, tenant, ['active', 'suspended']))
  return { ...found, databases: livingDatabasesOf(registry, tenant) }
}
