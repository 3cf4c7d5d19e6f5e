import { databaseUpdate } from '../../../resources/database/jobs.ts'
import { databaseUser } from '../../steps/database-user.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { type Database, databaseIn, mustFit, putDatabase } from './facts.ts'

type Target = { readonly tenant: Tenant; readonly database: Database; readonly isOpen: boolean }

/** Connections that stand go on: the password is asked for when one begins. */
export const updateDatabase = provision(databaseUpdate, {
  async target({ tenant: tenantId, database: id, verifier }, { registry }): Promise<Target> {
    const tenant = tenantIn(registry, tenantId, ['active', 'suspended'])
    const known = databaseIn(registry, tenantId, id, ['active'])
    const database = { ...known, verifier }
    mustFit(database)
    return { tenant: identity(tenant), database, isOpen: tenant.state === 'active' }
  },
  steps: ({ database: { engine, name, verifier }, isOpen }) => [databaseUser({ engine, name, verifier, isOpen })],
  settle: (registry, { tenant, database }) => putDatabase(registry, tenant.id, database),
})
