/** Differences that the watch over drift has found, until a later look finds them gone; and how far that watch has come. */
import { z } from 'zod'
import { TenantName } from '../../contract/values.ts'
import { Change, type DriftReport } from '../../contract/wire.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { type Migration, table } from '../../store/migrations/migration.ts'
import type { CommonColumns, JsonText } from '../../store/tables/common.ts'
import { Time } from '../answers.ts'
import type { StoreTools } from '../store-tools.ts'

export const Finding = z.strictObject({
  /** `tenant acme`, `domain shop.example.com`, `web server`, `program`. */
  resource: z.string(),
  changes: z.array(Change),
  /** When it was seen first, and last. */
  foundAt: Time,
  seenAt: Time,
})
export type Finding = z.output<typeof Finding>

/** `after`: the last tenant that was looked at; null at the beginning. */
const Round = z.object({ began: z.string(), after: TenantName.nullable(), isDone: z.boolean() })
export type Round = z.output<typeof Round>

interface DriftFindingTable extends CommonColumns {
  resource: string
  changes: JsonText
}

declare module '../../store/database.ts' {
  interface Database {
    drift_findings: DriftFindingTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly driftFindings: FindingStore
  }
}

export const driftFindings: Migration = {
  number: 32,
  name: 'drift-findings',
  statements: (words) => [
    table(words, 'drift_findings', { resource: `${words.name} not null unique`, changes: `${words.json} not null` }),
  ],
}

/** Without what was adopted: nothing is to be done about that. */
export function differing(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ action }) => action !== 'adopt')
}

export interface FindingStore {
  /** By name. @param resource of this alone */
  list(resource?: string): Promise<Finding[]>
  note(found: DriftReport): Promise<void>
  /** What the round that began then did not see any more. */
  dropNotSeenSince(began: string): Promise<void>
  /** What was put back or adopted by a job since it was seen. */
  dropRepaired(): Promise<void>
  /** The next part is the first of a new round; one that is being looked at now is not noted any more. */
  lookAgain(): Promise<void>
  /** Nobody else changes it before this transaction has ended, if it is read in one. */
  round(): Promise<Round | null>
  setRound(round: Round): Promise<void>
}

const most = 500
const mostChanges = 20
const longestName = 300
const longestDiff = 4000
const settling = ['tenant.repair', 'domain.repair', 'tenant.adopt']
const roundKey = 'drift.round'

export function findingStore(db: Db, { now, newId }: StoreTools): FindingStore {
  async function setRound(round: Round): Promise<void> {
    const value = encodeJson(round)
    await db
      .insertInto('settings')
      .values({ id: newId(), created_at: now, updated_at: now, key: roundKey, value })
      .onConflict((row) => row.column('key').doUpdateSet({ value, updated_at: now }))
      .execute()
  }

  return {
    async list(resource) {
      let query = db.selectFrom('drift_findings').selectAll().orderBy('resource')
      if (resource !== undefined) query = query.where('resource', '=', resource)
      const rows = await query.execute()
      return rows.map((row) => ({
        resource: row.resource,
        changes: z.array(Change).parse(decodeJson(row.changes)),
        foundAt: row.created_at,
        seenAt: row.updated_at,
      }))
    },

    async note(found) {
      const rows = await db.selectFrom('drift_findings').select('resource').execute()
      const known = new Set(rows.map(({ resource }) => resource))
      for (const { resource: whole, changes } of found) {
        const resource = whole.slice(0, longestName)
        // what stands is seen anew also when there is no room for more: else it would be told as over
        if (!known.has(resource) && known.size >= most) continue
        known.add(resource)
        const text = encodeJson(changes.slice(0, mostChanges).map(short))
        await db
          .insertInto('drift_findings')
          .values({ id: newId(), created_at: now, updated_at: now, resource, changes: text })
          .onConflict((row) => row.column('resource').doUpdateSet({ changes: text, updated_at: now }))
          .execute()
      }
    },

    async lookAgain() {
      await storeLock(db, roundKey)
      await setRound({ began: now, after: null, isDone: false })
    },

    async dropNotSeenSince(began) {
      await db.deleteFrom('drift_findings').where('updated_at', '<', began).execute()
    },

    async dropRepaired() {
      const rows = await db.selectFrom('drift_findings').select(['id', 'resource', 'updated_at']).execute()
      if (rows.length === 0) return
      const jobs = await db
        .selectFrom('jobs')
        .select(['resource_kind', 'resource_name', 'finished_at'])
        .where('state', '=', 'succeeded')
        .where('type', 'in', settling)
        .orderBy('sequence', 'desc')
        .limit(most)
        .execute()
      const ends = new Map<string, string>()
      for (const { resource_kind: kind, resource_name: name, finished_at: at } of jobs.toReversed())
        ends.set(`${kind} ${name}`, at ?? '')
      for (const { id, resource, updated_at: seen } of rows)
        if ((ends.get(resource) ?? '') > seen) await db.deleteFrom('drift_findings').where('id', '=', id).execute()
    },

    async round() {
      await storeLock(db, roundKey)
      const row = await db.selectFrom('settings').select('value').where('key', '=', roundKey).executeTakeFirst()
      return (row && Round.safeParse(decodeJson(row.value)).data) ?? null
    },

    setRound,
  }
}

function short(change: Change): Change {
  return { ...change, step: change.step.slice(0, 500), diff: change.diff?.slice(0, longestDiff) ?? null }
}
