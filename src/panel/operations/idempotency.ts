/**
 * The answers to calls that came with an Idempotency-Key, kept for a day in the transaction of the change itself: after
 * a crash either both are there or neither, so that a call that is sent again is never done twice. Sealed, because some
 * answers hold a secret that is shown once.
 */
import { WcpError } from '../../contract/errors.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import { openText, sealText } from '../../lib/sealed-text.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { newId } from '../../store/new-id.ts'
import { keyedDigest, type PanelKeys } from '../auth/keys.ts'
import type { Outcome } from '../http/types.ts'
import { type Standing, standingOf } from './existing-job.ts'

const keptMs = 24 * 3_600_000
/** For so long the same words mean the same wish. */
const sameWishMs = 3_600_000

/** One key of one actor, and what was asked with it; the store has digests of both. */
export interface Claim {
  readonly key: string
  readonly request: string
}

/** An answer to the same words, and what has become of what it tells of. */
export interface Existing {
  readonly outcome: Outcome<unknown>
  readonly standing: Exclude<Standing, 'over'>
}

export type Idempotency = ReturnType<typeof idempotency>

export function idempotency({ seal, codes }: Pick<PanelKeys, 'seal' | 'codes'>, now: () => number = Date.now) {
  const underWay = new Set<string>()
  const before = (ms: number) => new Date(now() - ms).toISOString()
  const placeOf = (row: string) => ({ table: 'kept_answers', row, column: 'answer' })

  const requestOf = ({ name }: AnyOperation, input: unknown) =>
    keyedDigest(codes, 'idempotent request', name, JSON.stringify(input, inOrder))
  const rowOf = async (tx: Db, { key }: Claim, ms: number) => {
    await storeLock(tx, `kept answer:${key}`)
    const query = tx.selectFrom('kept_answers').selectAll().where('key_digest', '=', key)
    return query.where('created_at', '>', before(ms)).executeTakeFirst()
  }
  // sealed by `keep`
  const opened = ({ id, answer }: { id: string; answer: string }) =>
    decodeJson(openText(seal, placeOf(id), answer).toString()) as Outcome<unknown>

  return {
    claim(actor: Actor, operation: AnyOperation, input: unknown, key: string): Claim {
      return {
        key: keyedDigest(codes, 'idempotency key', whoIs(actor), key),
        request: requestOf(operation, input),
      }
    },

    /** The same operation with the same input by the same person, under whatever key. */
    sameWords(actor: Actor, operation: AnyOperation, input: unknown): Claim {
      const request = requestOf(operation, input)
      return { key: keyedDigest(codes, 'same words', whoIs(actor), request), request }
    },

    /** @throws WcpError `conflict` while a call with the same key is worked on */
    async alone<T>(claim: Claim | null, work: () => Promise<T>): Promise<T> {
      if (claim === null) return await work()
      if (underWay.has(claim.key))
        throw new WcpError('conflict', 'Cannot begin: a call with this Idempotency-Key is being worked on', {
          details: { retryAfterSeconds: 1 },
          help: 'Wait a moment and send it again with the same key: the answer is then given again.',
        })
      underWay.add(claim.key)
      try {
        return await work()
      } finally {
        underWay.delete(claim.key)
      }
    },

    /** @throws WcpError `bad_input` when the key came with something else */
    async find(tx: Db, claim: Claim): Promise<Outcome<unknown> | null> {
      const found = await rowOf(tx, claim, keptMs)
      if (found === undefined) return null
      if (found.request_digest !== claim.request)
        throw new WcpError('bad_input', 'Cannot accept this Idempotency-Key: it came with another call before', {
          fields: [
            { field: 'Idempotency-Key', problem: 'belongs to another call', accepted: 'a new key for each call' },
          ],
        })
      return opened(found)
    },

    /** The job that the same words have queued within the hour, unless it is over with it. */
    async findExisting(tx: Db, claim: Claim): Promise<Existing | null> {
      const found = await rowOf(tx, claim, sameWishMs)
      if (found === undefined) return null
      const outcome = opened(found)
      const standing = await standingOf(tx, outcome.jobIds)
      return standing === 'over' ? null : { outcome, standing }
    },

    async keep(tx: Db, { key, request }: Claim, { value, jobIds }: Outcome<unknown>): Promise<void> {
      const id = newId()
      const moment = new Date(now()).toISOString()
      await tx.deleteFrom('kept_answers').where('key_digest', '=', key).execute()
      await tx
        .insertInto('kept_answers')
        .values({
          id,
          created_at: moment,
          updated_at: moment,
          deleted_at: null,
          key_digest: key,
          request_digest: request,
          answer: sealText(seal, placeOf(id), Buffer.from(encodeJson({ value, jobIds }))),
        })
        .execute()
    },

    /** Forgets what is older than a day. */
    async purge(db: Db): Promise<void> {
      await db.deleteFrom('kept_answers').where('created_at', '<=', before(keptMs)).execute()
    },
  }
}

/** A person acting as another, and each API key, has keys of their own. */
function whoIs(actor: Actor): string {
  return actor.kind === 'root' ? 'root' : `${actor.id} ${(actor.key ?? actor.impersonator ?? actor).id}`
}

/** Keys of objects in one order, so that the same call is known again however it was written. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
