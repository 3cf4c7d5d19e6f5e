/** To the trash, back from it, and out of it for good. */
import { databaseDelete, databasePurge, databaseRestore } from '../../../resources/database/jobs.ts'
import type { Registry } from '../../jobs/registry.ts'
import { database as databaseStep } from '../../steps/database.ts'
import { absentDump, droppedDatabase, dumpedDatabase, loadedDatabase } from '../../steps/database-dump.ts'
import { absentDatabaseUser, databaseUser } from '../../steps/database-user.ts'
import { identity, mustHaveRested, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import {
  type Database,
  databaseFacts,
  databaseIn,
  dumpedOf,
  findDatabase,
  mustBeFree,
  purgedDatabases,
  putDatabase,
} from './facts.ts'

type Target = { readonly tenant: Tenant; readonly database: Database }

/** null: there is none, or it is in the trash, and its name may be another one's by now. */
export const deleteDatabase = provision(databaseDelete, {
  async target({ tenant: tenantId, database: id }, { registry }): Promise<Target | null> {
    const database = findDatabase(registry, tenantId, id)
    if (database === undefined || database.state === 'trashed') return null
    databaseIn(registry, tenantId, id, ['active'])
    return { tenant: identity(tenantIn(registry, tenantId, ['active', 'suspended'])), database }
  },
  // nobody signs in from here on, so that the dump is all there is
  steps(target, machine) {
    if (target === null) return []
    const { tenant, database } = target
    const dumped = dumpedOf(machine, tenant, database)
    return [
      databaseUser({ ...database, isOpen: false }),
      dumpedDatabase(dumped),
      droppedDatabase(dumped),
      absentDatabaseUser(database.engine, database.name),
    ]
  },
  settle(registry, target) {
    if (target !== null) putDatabase(registry, target.tenant.id, { ...target.database, state: 'trashed' })
  },
})

type Restoration = Target & { readonly isOpen: boolean; readonly wasDeleted: boolean }

export const restoreDatabase = provision(databaseRestore, {
  async target({ tenant: tenantId, database: id }, world): Promise<Restoration> {
    const tenant = tenantIn(world.registry, tenantId, ['active', 'suspended'])
    const database = databaseIn(world.registry, tenantId, id, ['trashed', 'active'])
    const wasDeleted = database.state === 'trashed'
    if (wasDeleted) await mustBeFree(world, database)
    return { tenant: identity(tenant), database, isOpen: tenant.state === 'active', wasDeleted }
  },
  // its name is nobody else's from now on
  reserve(registry, { tenant, database, wasDeleted }) {
    if (wasDeleted) putDatabase(registry, tenant.id, { ...database, state: 'making' })
  },
  steps({ tenant, database, isOpen, wasDeleted }, machine) {
    if (!wasDeleted) return databaseFacts(database, isOpen)
    const dumped = dumpedOf(machine, tenant, database)
    return [
      databaseStep(database),
      databaseUser({ ...database, isOpen: false }),
      loadedDatabase(dumped),
      ...(isOpen ? [databaseUser({ ...database, isOpen })] : []),
      absentDump(dumped),
    ]
  },
  settle: (registry, { tenant, database }) => putDatabase(registry, tenant.id, { ...database, state: 'active' }),
  release(registry, { tenant, database, wasDeleted }) {
    if (wasDeleted) putDatabase(registry, tenant.id, database)
  },
})

export const purgeDatabase = provision(databasePurge, {
  async target({ tenant: tenantId, database: id }, world): Promise<Target | null> {
    const { registry } = world
    const database = findDatabase(registry, tenantId, id)
    if (database === undefined) return null
    databaseIn(registry, tenantId, id, ['trashed', 'purging'])
    if (database.state === 'trashed') mustHaveRested(world, id, database.name)
    return { tenant: identity(tenantIn(registry, tenantId, ['active', 'suspended', 'trashed'])), database }
  },
  // what is half removed can no longer be restored
  reserve(registry, target) {
    if (target !== null) setState(registry, target, 'purging')
  },
  steps: (target, machine) => (target === null ? [] : purgedDatabases(machine, target.tenant, [target.database])),
  settle(registry, target) {
    if (target !== null) registry.dropThing(target.database.id)
  },
})

function setState(registry: Registry, { tenant, database }: Target, state: Database['state']): void {
  putDatabase(registry, tenant.id, { ...database, state })
}
