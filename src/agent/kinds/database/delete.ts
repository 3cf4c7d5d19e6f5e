/** To the trash, back from it, and out of it for good. */
import { databaseDelete, databasePurge, databaseRestore } from '../../../resources/database/jobs.ts'
import type { Registry } from '../../jobs/registry.ts'
import { database as databaseStep } from '../../steps/database.ts'
import { absentDump, droppedDatabase, dumpedDatabase, loadedDatabase } from '../../steps/database-dump.ts'
import { databaseUser } from '../../steps/database-user.ts'
import { identity, mustHaveRested, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import {
  absentUsers,
  closedDatabases,
  type Database,
  databaseFacts,
  databaseIn,
  dumpedOf,
  findDatabase,
  guestFacts,
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
    return [...closedDatabases([database]), dumpedDatabase(dumped), droppedDatabase(dumped), ...absentUsers(database)]
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
    const { engine, users = [] } = database
    if (wasDeleted) for (const guest of users) await mustBeFree(world, { ...guest, engine })
    return { tenant: identity(tenant), database, isOpen: tenant.state === 'active', wasDeleted }
  },
  // its name is nobody else's from now on
  reserve(registry, { tenant, database, wasDeleted }) {
    if (wasDeleted) putDatabase(registry, tenant.id, { ...database, state: 'making' })
  },
  steps({ tenant, database, isOpen, wasDeleted }, machine) {
    if (!wasDeleted) return databaseFacts(database, isOpen)
    const { engine, name, verifier } = database
    const own = { engine, name, verifier, isOpen: false }
    const dumped = dumpedOf(machine, tenant, database)
    return [
      databaseStep(database),
      databaseUser(own),
      loadedDatabase(dumped),
      ...(isOpen ? [databaseUser({ ...own, isOpen })] : []),
      ...guestFacts(database, isOpen),
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
    if (target === null) return
    for (const { id } of [target.database, ...(target.database.users ?? [])]) registry.dropThing(id)
  },
})

function setState(registry: Registry, { tenant, database }: Target, state: Database['state']): void {
  putDatabase(registry, tenant.id, { ...database, state })
}
