import { WcpError } from '../../../contract/errors.ts'
import { databaseCreate, mostOfTenant } from '../../../resources/database/jobs.ts'
import type { TenantRecord } from '../../jobs/registry.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { type Database, databaseFacts, databasesOf, findDatabase, mustBeFree, mustFit, putDatabase } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly database: Database
  readonly isOpen: boolean
  readonly isNew: boolean
}

/** The one of this id that the tenant has already; refuses one that the tenant cannot have. */
export async function sameOrNew(world: World, tenant: TenantRecord, wanted: Database): Promise<Database | undefined> {
  mustFit(wanted)
  const known = findDatabase(world.registry, tenant.id, wanted.id)
  if (known !== undefined) {
    const isSame = known.state === 'active' && known.name === wanted.name && known.engine === wanted.engine
    if (isSame) return known
    throw new WcpError('conflict', `Cannot make database "${wanted.name}": its id is in use`)
  }
  const has = databasesOf(world.registry, tenant.id).length
  if (has >= mostOfTenant)
    throw new WcpError('limit_reached', `Cannot make a database: tenant "${tenant.name}" has ${has}`)
  await mustBeFree(world, wanted)
  return undefined
}

export const createDatabase = provision(databaseCreate, {
  async target({ tenant: tenantId, database: id, ...wanted }, world: World): Promise<Target> {
    const found = tenantIn(world.registry, tenantId, ['active', 'suspended'])
    const database: Database = { id, ...wanted, state: 'active' }
    const isNew = (await sameOrNew(world, found, database)) === undefined
    return { tenant: identity(found), database, isOpen: found.state === 'active', isNew }
  },
  reserve(registry, { tenant, database, isNew }) {
    if (isNew) putDatabase(registry, tenant.id, { ...database, state: 'making' })
  },
  steps: ({ database, isOpen }) => databaseFacts(database, isOpen),
  settle: (registry, { tenant, database }) => putDatabase(registry, tenant.id, database),
  release(registry, { database: { id }, isNew }) {
    if (isNew) registry.dropThing(id)
  },
})
