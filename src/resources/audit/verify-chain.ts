/** Reads the whole audit trail and finds what was changed in it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Selectable } from 'kysely'
import type { Db } from '../../store/database.ts'
import type { AuditLogTable } from '../../store/tables/work.ts'
import { checksumOf, firstChecksum, sameChecksum, sealOf } from './chain.ts'
import { entryOf } from './rows.ts'
import type { AuditProblem, ChainVerdict } from './schema.ts'

/** Checked in a few milliseconds, between which others have their turn. */
const batchSize = 100
const mostProblems = 100

export interface AuditHead {
  readonly sequence: number
  readonly checksum: string
}

/** An entry as somebody else has kept it. */
export interface AuditAnchor extends AuditHead {
  /** `the head that was kept elsewhere`. */
  readonly keeper: string
}

type Row = Selectable<AuditLogTable>

/**
 * Reads in batches, however long the trail is. After a break it goes on with the checksum that is stored, so that one
 * changed entry is not a problem of all that follow.
 * @param anchors what was kept elsewhere: the trail must still hold it
 * @param rest awaited after each batch
 */
export async function verifyChain(
  db: Db,
  key: Uint8Array,
  anchors: readonly AuditAnchor[] = [],
  rest: () => Promise<unknown> = nextTurn,
): Promise<ChainVerdict> {
  const problems: AuditProblem[] = []
  const report = (sequence: number, problem: AuditProblem['problem'], message: string) => {
    if (problems.length < mostProblems) problems.push({ sequence, problem, message })
  }
  // Before the entries: what is appended while we read comes after it.
  const sealed = await readHead(db, key)
  const kept = Map.groupBy(anchors, ({ sequence }) => sequence)
  let entries = 0
  let last: AuditHead = { sequence: 0, checksum: firstChecksum }
  for await (const row of allRows(db, rest)) {
    const missing = row.sequence - last.sequence - 1
    if (missing > 0) report(last.sequence + 1, 'missing', `${counted(missing)} missing before entry ${row.sequence}`)
    else if (!isWhole(key, last.checksum, row))
      report(row.sequence, 'changed', `entry ${row.sequence} is not as it was written`)
    for (const { checksum, keeper } of kept.get(row.sequence) ?? [])
      if (checksum !== row.checksum) report(row.sequence, 'head', `entry ${row.sequence} differs from ${keeper}`)
    last = { sequence: row.sequence, checksum: row.checksum }
    entries++
  }

  if (sealed === 'broken')
    report(last.sequence, 'head', 'the sealed end of the trail is missing or not as it was written')
  const end = Math.max(...anchors.map(({ sequence }) => sequence), sealed === 'broken' ? 0 : sealed.sequence)
  if (last.sequence < end)
    report(
      end,
      'truncated',
      `the trail ends at entry ${last.sequence}, ${counted(end - last.sequence)} missing after it`,
    )
  return { ok: problems.length === 0, entries, head: last, problems }
}

function counted(entries: number): string {
  return entries === 1 ? '1 entry is' : `${entries} entries are`
}

/** An empty trail needs no head. */
async function readHead(db: Db, key: Uint8Array): Promise<AuditHead | 'broken'> {
  const head = await db.selectFrom('audit_heads').selectAll().executeTakeFirst()
  if (head !== undefined) return sameChecksum(head.seal, sealOf(key, head.sequence, head.checksum)) ? head : 'broken'
  const any = await db.selectFrom('audit_logs').select('id').limit(1).executeTakeFirst()
  return any === undefined ? { sequence: 0, checksum: firstChecksum } : 'broken'
}

async function* allRows(db: Db, rest: () => Promise<unknown>): AsyncGenerator<Row> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('audit_logs')
      .selectAll()
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(batchSize)
      .execute()
    yield* rows
    await rest()
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}

function isWhole(key: Uint8Array, previous: string, row: Row): boolean {
  try {
    return sameChecksum(row.checksum, checksumOf(key, previous, entryOf(row)))
  } catch {
    // Its metadata cannot even be read: not what was written.
    return false
  }
}
