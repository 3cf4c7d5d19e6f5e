/** The holds of a row during its job and at its end. */
import { type Expression, expressionBuilder, type Insertable, type Selectable, type SqlBool } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import type { Database, Db } from '../../store/database.ts'
import type { HoldTable } from '../../store/tables/hosting.ts'

const columns = { tenant: 'tenant_id', domain: 'domain_id', user: 'user_id' } as const

/** `lock`: the people of a tenant are kept out, its sites go on. Only suspensions are known to jobs. */
export type HoldEffect = 'suspend' | 'lock'

/** The things that can be held. */
export interface Held {
  readonly kind: keyof typeof columns
  readonly id: Id
  /** `suspend` unless told. */
  readonly effect?: HoldEffect
}

export function isHeldKind(kind: string): kind is Held['kind'] {
  return Object.hasOwn(columns, kind)
}

export function column(kind: Held['kind']): (typeof columns)[Held['kind']] {
  return columns[kind]
}

export async function snapshotHolds(tx: Db, on: Held): Promise<Selectable<HoldTable>[]> {
  return tx.selectFrom('holds').selectAll().where(holdsOn(on)).execute()
}

/** The condition of its holds. */
export function holdsOn({ kind, id, effect = 'suspend' }: Held): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'holds'>()
  return eb.and([eb(column(kind), '=', id), eb('effect', '=', effect)])
}

/** Absent where the job was queued before there were holds. */
const Snapshot = z.object({ holds: z.array(z.custom<Insertable<HoldTable>>()).exactOptional() }) // as `snapshotHolds` gave them

/** After a job that failed: those that stood before it. @param rowBefore what the job keeps of the row */
export async function bringBackHolds(tx: Db, on: Held, rowBefore: unknown): Promise<void> {
  const { holds } = Snapshot.parse(rowBefore)
  if (holds === undefined) return
  await tx.deleteFrom('holds').where(holdsOn(on)).execute()
  if (holds.length > 0) await tx.insertInto('holds').values(holds).execute()
}

/** A restored thing is as it was: suspended while any hold stands. */
export async function isHeld(tx: Db, on: Held): Promise<boolean> {
  const query = tx.selectFrom('holds').select('id').where(holdsOn(on))
  return (await query.limit(1).executeTakeFirst()) !== undefined
}
