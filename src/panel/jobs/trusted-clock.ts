/**
 * Whether the clock may decide what is removed for good. A clock that jumps ten years ahead makes everything in the trash old
 * at once, and one that was behind when something was deleted does so when it is set right (F14). So a clock is believed
 * when it has gone on without a jump for a day; until then what is old waits, which harms nobody.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'

/** Moments of the clock, milliseconds: since when it goes on without a jump, and when it was looked at last. */
const Seen = z.object({ since: z.number(), last: z.number() })
export type Seen = z.output<typeof Seen>

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Longest pause between two looks: they are hourly, and a server may be down for a day. */
const longestPauseMs = dayMs + 2 * hourMs

const key = 'housekeeping.clock'

/** Looks at the clock and remembers that; in the transaction of what it decides. */
export async function isClockTrusted(tx: Db, now: number): Promise<boolean> {
  const row = await tx.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  const before = row && Seen.safeParse(decodeJson(row.value)).data
  const seen = nextLook(before, now)
  const moment = new Date(now).toISOString()
  const value = encodeJson(seen)
  await tx
    .insertInto('settings')
    .values({ id: randomUUID(), created_at: moment, updated_at: moment, key, value })
    .onConflict((known) => known.column('key').doUpdateSet({ value, updated_at: moment }))
    .execute()
  return now - seen.since >= dayMs
}

export function nextLook(before: Seen | undefined, now: number): Seen {
  if (before === undefined) return { since: now, last: now }
  const hasJumped = now < before.last - hourMs || now > before.last + longestPauseMs
  return { since: hasJumped ? now : before.since, last: now }
}
