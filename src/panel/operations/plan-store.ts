/** A change of the store as a plan shows it: which rows, from what to what, and who gains or loses which right. */
import type { Change } from '../../contract/wire.ts'
import type { Actor } from '../../resources/actor.ts'
import { ownWork } from '../../resources/row-words.ts'
import { SettingKey } from '../../resources/settings/schema.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import type { RowChange, Watched } from '../../store/watched.ts'
import { reachOf } from './plan-reach.ts'
import { type Rights, rightsOf } from './plan-rights.ts'
import { rowTeller } from './plan-rows.ts'

const mostChanges = 300

export interface StorePlan {
  readonly rows: readonly Change[]
  /** Of everybody whose rights may differ, as they would be. */
  readonly rights: Rights
}

/** In the transaction that made the changes. Jobs that are queued are planned for themselves. */
export async function planStore(
  tx: Db,
  stores: Stores,
  actor: Actor,
  { changes, others, rowOf }: Watched<unknown>,
): Promise<StorePlan> {
  const reaches = reachOf(actor, stores, changes)
  const tell = rowTeller({ changes, rowOf })
  const told: Change[] = []
  for (const change of changes) {
    const isQueued = change.table === 'jobs' && change.before === null
    if (isQueued || isOwnWork(change) || !(await reaches.row(change))) continue
    told.push(...(await tell(change)))
  }
  const rows = merged(told)
  const more = Math.max(0, rows.length - mostChanges) + [...others.values()].reduce((sum, count) => sum + count, 0)
  const rest: Change[] = more > 0 ? [{ step: `rows beyond these: ${more}`, action: 'change', diff: null }] : []
  return { rows: [...rows.slice(0, mostChanges), ...rest], rights: await rightsOf(tx, stores, changes, reaches.user) }
}

/** Also rows among the settings that nobody can set: how far a look has come. */
function isOwnWork({ table, before, after }: RowChange): boolean {
  return ownWork.has(table) || (table === 'settings' && !SettingKey.safeParse((after ?? before)?.key).success)
}

/** What goes and comes back alike is no change; what is told several times is counted. */
function merged(changes: readonly Change[]): Change[] {
  const counts = new Map<string, { readonly change: Change; count: number }>()
  for (const change of changes) {
    const opposite = change.action === 'create' ? 'remove' : change.action === 'remove' ? 'create' : null
    const diff = change.diff?.replaceAll(/^[+-]/gm, '') ?? ''
    const key = (action: string) => JSON.stringify([action, change.step, action === 'change' ? change.diff : diff])
    const before = opposite === null ? undefined : counts.get(key(opposite))
    const same = counts.get(key(change.action))
    if (before && before.count > 0) before.count--
    else if (same) same.count++
    else counts.set(key(change.action), { change, count: 1 })
  }
  return [...counts.values()].flatMap(({ change, count }) =>
    count === 0 ? [] : [count === 1 ? change : { ...change, step: `${change.step} (${count} of them)` }],
  )
}
