/** Users beside the one of the database's name: made with some of its rights, and taken away. */
import { isVerifierOf } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import {
  databaseUserCreate,
  databaseUserDelete,
  databaseUserUpdate,
  hasUsers,
  mostOfDatabase,
} from '../../../resources/database-user/jobs.ts'
import { absentDatabaseUser, databaseUser } from '../../steps/database-user.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { type Database, databaseIn, mustBeFree } from './facts.ts'
import { findGuest, type Guest, guestUser, putGuest } from './guests.ts'

type Target = {
  readonly tenant: Tenant
  readonly database: Pick<Database, 'engine' | 'name'>
  readonly guest: Guest
  readonly isOpen: boolean
  readonly isNew: boolean
}

export const createDatabaseUser = provision(databaseUserCreate, {
  async target({ tenant: tenantId, 'database-user': id, ...wanted }, world: World): Promise<Target> {
    const { registry } = world
    const found = tenantIn(registry, tenantId, ['active', 'suspended'])
    const { engine, name, users = [] } = databaseIn(registry, tenantId, wanted.database, ['active'])
    const what = `Cannot make user "${wanted.name}" of database "${name}"`
    if (!hasUsers(engine) || !isVerifierOf(engine, wanted.verifier))
      throw new WcpError('bad_input', `${what}: the server has no such users`)
    const known = findGuest(registry, tenantId, id)
    const isSame = known?.database === wanted.database && known.name === wanted.name && known.access === wanted.access
    if (known !== undefined && !isSame) throw new WcpError('conflict', `${what}: its id is in use`)
    if (known === undefined) {
      if (users.length >= mostOfDatabase) throw new WcpError('limit_reached', `${what}: it has ${users.length} already`)
      await mustBeFree(world, { id, engine, name: wanted.name })
    }
    const tenant = identity(found)
    const isOpen = found.state === 'active'
    return { tenant, database: { engine, name }, guest: { id, ...wanted }, isOpen, isNew: known === undefined }
  },
  reserve(registry, { tenant, guest, isNew }) {
    if (isNew) putGuest(registry, tenant.id, guest)
  },
  steps: ({ database, guest, isOpen }) => [databaseUser(guestUser(database, guest, isOpen))],
  settle: (registry, { tenant, guest }) => putGuest(registry, tenant.id, guest),
  release(registry, { guest, isNew }) {
    if (isNew) registry.dropThing(guest.id)
  },
})

type Change = Omit<Target, 'isNew'>

/** Connections that stand go on: the password is asked for when one begins. */
export const updateDatabaseUser = provision(databaseUserUpdate, {
  async target({ tenant: tenantId, 'database-user': id, verifier }, { registry }): Promise<Change> {
    const found = tenantIn(registry, tenantId, ['active', 'suspended'])
    const guest = findGuest(registry, tenantId, id)
    if (guest === undefined)
      throw new WcpError('not_found', `Cannot find database user "${id}" of tenant "${tenantId}" on this machine`)
    const { engine, name } = databaseIn(registry, tenantId, guest.database, ['active'])
    if (!isVerifierOf(engine, verifier))
      throw new WcpError('bad_input', `Cannot give database user "${guest.name}" this verifier: it is another server's`)
    const [tenant, isOpen] = [identity(found), found.state === 'active']
    return { tenant, database: { engine, name }, guest: { ...guest, verifier }, isOpen }
  },
  steps: ({ database, guest, isOpen }) => [databaseUser(guestUser(database, guest, isOpen))],
  settle: (registry, { tenant, guest }) => putGuest(registry, tenant.id, guest),
})

type Removal = Pick<Target, 'database' | 'guest'> | null

/** null: there is none. */
export const deleteDatabaseUser = provision(databaseUserDelete, {
  async target({ tenant: tenantId, 'database-user': id }, { registry }): Promise<Removal> {
    const guest = findGuest(registry, tenantId, id)
    if (guest === undefined) return null
    tenantIn(registry, tenantId, ['active', 'suspended'])
    const { engine, name } = databaseIn(registry, tenantId, guest.database, ['active'])
    return { database: { engine, name }, guest }
  },
  steps: (target) => (target === null ? [] : [absentDatabaseUser(guestUser(target.database, target.guest, false))]),
  settle(registry, target) {
    if (target !== null) registry.dropThing(target.guest.id)
  },
})
