/** Users of a database beside the one of its name: each a thing of its own in the registry, so that its name is taken. */
import { z } from 'zod'
import { DatabaseAccess, type DatabaseEngine, DatabaseName, PasswordVerifier } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import { Id } from '../../../contract/values.ts'
import type { Registry } from '../../jobs/registry.ts'
import type { WantedUser } from '../../steps/database-user.ts'

const Kept = z.strictObject({
  database: Id,
  name: DatabaseName,
  access: DatabaseAccess,
  verifier: PasswordVerifier,
})
export type Guest = z.output<typeof Kept> & { readonly id: Id }

export const guestKind = 'database-user'

/** Of all databases of the tenant, in the order of their ids. */
export function guestsOf(registry: Registry, tenant: Id): readonly Guest[] {
  return registry.thingsOf(tenant, guestKind).map(({ id, record }) => ({ id, ...Kept.parse(record) }))
}

/** Somebody else's is told like one that does not exist. */
export function findGuest(registry: Registry, tenant: Id, id: Id): Guest | undefined {
  const thing = registry.thing(id)
  if (thing === undefined) return undefined
  if (thing.tenant !== tenant || thing.kind !== guestKind)
    throw new WcpError('not_found', `Cannot find database user "${id}" of tenant "${tenant}" on this machine`)
  return { id, ...Kept.parse(thing.record) }
}

export function putGuest(registry: Registry, tenant: Id, { id, ...record }: Guest): void {
  registry.putThing({ id, kind: guestKind, tenant, name: record.name, record })
}

/** The fact that is behind it on the server. */
export function guestUser(
  { engine, name: database }: { readonly engine: DatabaseEngine; readonly name: DatabaseName },
  { name, verifier, access }: Guest,
  isOpen: boolean,
): WantedUser {
  return { engine, name, verifier, isOpen, guest: { database, access } }
}
