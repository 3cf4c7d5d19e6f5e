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

const keptMs = 24 * 3_600_000

/** One key of one actor, and what was asked with it; the store has digests of both. */
export interface Claim {
  readonly key: string
  readonly request: string
}

export type KeptAnswers = ReturnType<typeof keptAnswers>

export function keptAnswers({ seal, codes }: Pick<PanelKeys, 'seal' | 'codes'>, now: () => number = Date.now) {
  const underWay = new Set<string>()
  const oldest = () => new Date(now() - keptMs).toISOString()
  const placeOf = (row: string) => ({ table: 'kept_answers', row, column: 'answer' })

  return {
    claim(actor: Actor, { name }: AnyOperation, input: unknown, key: string): Claim {
      return {
        key: keyedDigest(codes, 'idempotency key', whoIs(actor), key),
        request: keyedDigest(codes, 'idempotent request', name, JSON.stringify(input, inOrder)),
      }
    },

    /** @throws WcpError `conflict` while a call with the same key is worked on */
    async alone<T>(claim: Claim | null, work: () => Promise<T>): Promise<T> {
      if (claim === null) return await work()
      if (underWay.has(claim.key))
        throw new WcpError('conflict', 'Cannot begin: a call with this Idempotency-Key is being worked on', {
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
    async find(tx: Db, { key, request }: Claim): Promise<Outcome<unknown> | null> {
      await storeLock(tx, `kept answer:${key}`)
      const found = await tx
        .selectFrom('kept_answers')
        .selectAll()
        .where('key_digest', '=', key)
        .where('created_at', '>', oldest())
        .executeTakeFirst()
      if (found === undefined) return null
      if (found.request_digest !== request)
        throw new WcpError('bad_input', 'Cannot take this Idempotency-Key: it came with another call before', {
          fields: [
            { field: 'Idempotency-Key', problem: 'belongs to another call', accepted: 'a new key for each call' },
          ],
        })
      return decodeJson(openText(seal, placeOf(found.id), found.answer).toString()) as Outcome<unknown> // sealed by `keep`
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
      await db.deleteFrom('kept_answers').where('created_at', '<=', oldest()).execute()
    },
  }
}

/** Who acts as another, and each API key, has keys of its own. */
function whoIs(actor: Actor): string {
  return actor.kind === 'root' ? 'root' : `${actor.id} ${(actor.key ?? actor.impersonator ?? actor).id}`
}

/** Keys of objects in one order, so that the same call is known again however it was written. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
