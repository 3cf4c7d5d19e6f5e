/** The rights of everybody whom a change of the store may give or take some. */
import type { Id } from '../../contract/values.ts'
import type { Change } from '../../contract/wire.ts'
import { stored } from '../../resources/store-tools.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import type { RowChange } from '../../store/watched.ts'

/** People whose rights are told one by one. */
const mostPeople = 50

/** Somebody who may not sign in has none; `all` stands for every right. */
export interface Rights {
  readonly of: ReadonlyMap<Id, { readonly email: string; readonly rights: ReadonlySet<string> }>
  /** People beyond those. */
  readonly others: number
}

export async function rightsOf(
  tx: Db,
  stores: Pick<Stores, 'users'>,
  changes: readonly RowChange[],
  reaches: (user: Id) => Promise<boolean>,
): Promise<Rights> {
  const people = await concerned(tx, changes)
  const of = new Map<Id, { email: string; rights: ReadonlySet<string> }>()
  for (const id of [...people].slice(0, mostPeople)) if (await reaches(id)) of.set(id, await rightsNow(stores, id))
  return { of, others: Math.max(0, people.size - mostPeople) }
}

async function rightsNow({ users }: Pick<Stores, 'users'>, id: Id) {
  const { user, permissions, maySignIn = false } = (await users.credentials(id)) ?? {}
  const rights = !maySignIn || permissions === undefined ? new Set<string>() : permissions
  return { email: user?.email ?? '', rights: rights === 'all' ? new Set(['all']) : rights }
}

/** @param stores as things are now; `after`: as they would be */
export async function rightsChanges(stores: Pick<Stores, 'users'>, after: Rights): Promise<Change[]> {
  const changes: Change[] = []
  for (const [id, { email, rights }] of after.of) {
    const before = await rightsNow(stores, id)
    const lost = missing(before.rights, rights).map((right) => `- ${right}`)
    const won = missing(rights, before.rights).map((right) => `+ ${right}`)
    const diff = [...lost, ...won].join('\n')
    if (diff !== '') changes.push({ step: `rights of ${email || before.email}`, action: 'change', diff })
  }
  if (after.others > 0) changes.push({ step: `rights of ${after.others} more people`, action: 'change', diff: null })
  return changes
}

function missing(from: ReadonlySet<string>, than: ReadonlySet<string>): string[] {
  return [...from].filter((right) => !than.has(right)).sort()
}

/** Those who are named, who hold a role, and who belong to a tenant that a change is about. */
async function concerned(tx: Db, changes: readonly RowChange[]): Promise<Set<Id>> {
  const people = new Set<Id>()
  const ids = (column: string, ...tables: readonly string[]) => [
    ...new Set(
      changes.flatMap(({ table, before, after }) =>
        tables.includes(table)
          ? [before?.[column], after?.[column]].flatMap((id) => (typeof id === 'string' ? [id] : []))
          : [],
      ),
    ),
  ]
  for (const id of [...ids('id', 'users'), ...ids('user_id', 'user_roles', 'resellers')]) people.add(stored(id))
  const roles = [...ids('id', 'roles'), ...ids('role_id', 'role_permissions')]
  const tenants = ids('id', 'tenants')
  const holders = tx.selectFrom('user_roles').select('user_id as id').where('role_id', 'in', roles)
  const members = tx.selectFrom('users').select('id').where('tenant_id', 'in', tenants).where('deleted_at', 'is', null)
  for (const [about, query] of [
    [roles, holders],
    [tenants, members],
  ] as const)
    if (about.length > 0) for (const { id } of await query.execute()) people.add(stored(id))
  return people
}
