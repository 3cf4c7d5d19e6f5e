import { WcpError } from '../../../contract/errors.ts'
import { databaseCreate, mostOfTenant } from '../../../resources/database/jobs.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { type Database, databaseFacts, databasesOf, findDatabase, mustBeFree, mustFit, putDatabase } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly database: Database
  readonly isOpen: boolean
  readonly isNew: boolean
}

export const createDatabase = provision(databaseCreate, {
  async target({ tenant: tenantId, database: id, ...wanted }, world: World): Promise<Target> {
    const found = tenantIn(world.registry, tenantId, ['active', 'suspended'])
    const tenant = identity(found)
    const known = findDatabase(world.registry, tenantId, id)
    const database: Database = { id, ...wanted, state: 'active' }
    mustFit(database)
    const isOpen = found.state === 'active'
    if (known !== undefined) {
      const isSame = known.state === 'active' && known.name === wanted.name && known.engine === wanted.engine
      if (isSame) return { tenant, database, isOpen, isNew: false }
      throw new WcpError('conflict', `Cannot make database "${wanted.name}": its id is in use`)
    }
    const has = databasesOf(world.registry, tenantId).length
    if (has >= mostOfTenant)
      throw new WcpError('limit_reached', `Cannot make a database: tenant "${tenant.name}" has ${has}`)
    await mustBeFree(world, database)
    return { tenant, database, isOpen, isNew: true }
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
