/**
 * A store that was put back from a backup: the root side has written down an entry of its audit trail that it does not
 * have. What it had forgotten must not count again, and what the root side has accepted since must not be in the way.
 */
import type { Db } from '../../store/database.ts'
import { isOurs } from '../audit/mirror.ts'
import type { Hello } from '../jobs/agent-link.ts'

/**
 * To be awaited before any job is sent.
 * @param newEpoch asks the root side to count tokens anew
 * @returns whether the store was one
 */
export async function settleRestoredStore(
  db: Db,
  { trail, epoch, readOnly }: Pick<Hello, 'trail' | 'epoch' | 'readOnly'>,
  newEpoch: () => Promise<number>,
): Promise<boolean> {
  const isPutBack = trail !== null && !(await isOurs(db, trail))
  if (isPutBack) await db.transaction().execute(forgetSince)
  if (readOnly === null) await agreeOnEpoch(db, epoch, newEpoch)
  return isPutBack
}

/**
 * Sessions, half sign-ins, one-time links and API keys end: some had ended before, and nobody knows which. A new epoch is
 * asked for, so that the next job of any row is news to the root side, and one that waited in the backup is not.
 */
export async function forgetSince(tx: Db): Promise<void> {
  for (const table of ['sessions', 'login_challenges', 'one_time_links', 'api_keys'] as const)
    await tx.deleteFrom(table).execute()
  await tx.updateTable('root_side').set({ epoch: null }).execute()
}

/** The root side's own word counts, unless this store needs a new one; jobs that were queued meanwhile get it. */
async function agreeOnEpoch(db: Db, told: number, newEpoch: () => Promise<number>): Promise<void> {
  const { epoch: known } = await db.selectFrom('root_side').select('epoch').executeTakeFirstOrThrow()
  if (known === told) return
  const epoch = known === null ? await newEpoch() : told
  await db.transaction().execute(async (tx) => {
    await tx.updateTable('root_side').set({ epoch }).execute()
    await tx.updateTable('jobs').set({ epoch }).where('epoch', 'is', null).execute()
  })
}
