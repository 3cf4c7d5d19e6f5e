/**
 * Proofs of ownership that are asked and have not been given. A name waits for one (`domain_names.proof_id`) until the
 * panel has seen the record in the DNS or staff vouches for it; then it is held like every other name and the row is gone.
 */
import type { Id } from '../../contract/values.ts'
import { Fqdn } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { storable } from '../../store/json.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import { challengeName, challengeValue } from './challenge.ts'
import type { ProofRecord, ProofTry } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly proofs: ProofStore
  }
  interface StoreKeys extends ProofKeys {}
}

export interface ProofKeys {
  readonly domains: Uint8Array
}

/** A proof for which the DNS is to be asked. */
export interface AskedProof {
  readonly id: Id
  readonly tenantId: Id
  readonly name: Fqdn
  readonly record: ProofRecord
  /** Looks so far. */
  readonly tries: number
}

/** The same with what is told of it. */
export interface WaitingProof extends Omit<AskedProof, 'tries'> {
  /** The newest first. */
  readonly tries: readonly ProofTry[]
  readonly nextTryAt: string | null
}

export interface ProofStore {
  /** Asks for these proofs, or goes on with those that are asked already; the DNS is asked soon. @returns their ids */
  want(tenantId: Id, names: Iterable<Fqdn>): Promise<ReadonlyMap<Fqdn, Id>>
  /** Counts those of the names for which no proof is asked yet. @returns when the oldest of more names than `most` within a day was asked for; null: as many are allowed */
  claim(tenantId: Id, names: Iterable<Fqdn>, most: number): Promise<string | null>
  /** The proofs for which the names of a domain wait, with the newest tries of each. */
  ofDomain(domainId: Id): Promise<WaitingProof[]>
  /** Has the DNS asked soon for what these domains wait for: `restMs` after the last time, and not before. */
  lookSoon(domainIds: readonly Id[]): Promise<void>
  /** Those whose time has come and for which a living name waits. */
  due(limit: number): Promise<AskedProof[]>
  /** Before the DNS is asked: false when another panel is at it. When this one ends meanwhile, it is due again a minute later. */
  begin(proof: AskedProof): Promise<boolean>
  /** @param next null: given up until somebody asks */
  tried(proof: AskedProof, outcome: Pick<ProofTry, 'outcome' | 'detail'>, next: string | null): Promise<void>
  postpone(id: Id, until: string): Promise<void>
  /** It was given. Kept without a look when a name in the trash waits for it. */
  given(id: Id): Promise<void>
  /** Those for which nothing waits any more, and claims that count no more. */
  forgetUnused(): Promise<void>
}

/** No schedule reaches further: what is due later was written down by a clock that was wrong, and is due now. */
export const longestPauseMs = 86_400_000
/** Between two looks for the same record, however often somebody asks. */
export const restMs = 10_000
/** For so long a claim counts. */
export const claimedForMs = 86_400_000
const shownTries = 5
const keptTries = 20

export function proofStore(db: Db, { now, newId }: StoreTools, keys: ProofKeys): ProofStore {
  const later = (ms: number) => new Date(Date.parse(now) + ms).toISOString()
  const recordOf = (tenantId: string, name: string) => ({
    name: challengeName(name),
    type: 'TXT' as const,
    value: challengeValue(keys.domains, tenantId, name),
  })

  const triesOf = async (proofId: string): Promise<ProofTry[]> => {
    const rows = await db
      .selectFrom('domain_proof_tries')
      .select(['created_at', 'outcome', 'detail'])
      .where('proof_id', '=', proofId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(shownTries)
      .execute()
    return rows.map((row) => ({ at: row.created_at, outcome: stored(row.outcome), detail: row.detail }))
  }

  /** A proof that was just checked rests before the next check. */
  const soon = async (ids: readonly string[]): Promise<void> => {
    if (ids.length === 0) return
    const rows = await db.selectFrom('domain_proofs').select(['id', 'last_try_at']).where('id', 'in', ids).execute()
    for (const { id, last_try_at: last } of rows) {
      const rested = last === null ? 0 : Math.min(Math.max(Date.parse(last) + restMs - Date.parse(now), 0), restMs)
      const change = { next_try_at: later(rested), updated_at: now }
      await db.updateTable('domain_proofs').set(change).where('id', '=', id).execute()
    }
  }

  /** Those of more than a day ago, and of a clock that was wrong. */
  const forgetClaims = async (): Promise<void> => {
    await db
      .deleteFrom('domain_claims')
      .where((eb) => eb.or([eb('created_at', '<=', later(-claimedForMs)), eb('created_at', '>', later(3_600_000))]))
      .execute()
  }

  const waitedForBy = async (domainIds: readonly Id[]): Promise<string[]> => {
    if (domainIds.length === 0) return []
    const query = db.selectFrom('domain_names').select('proof_id').distinct().where('domain_id', 'in', domainIds)
    const rows = await query.where('proof_id', 'is not', null).execute()
    return rows.flatMap(({ proof_id: id }) => (id === null ? [] : [id]))
  }

  const store: ProofStore = {
    async want(tenantId, names) {
      const wanted = new Map<Fqdn, Id>()
      for (const name of names) {
        await db
          .insertInto('domain_proofs')
          .values({ id: newId(), created_at: now, updated_at: now, tenant_id: tenantId, name, tries: 0 })
          .onConflict((known) => known.columns(['tenant_id', 'name']).doNothing())
          .execute()
        const { id } = await db
          .selectFrom('domain_proofs')
          .select('id')
          .where('tenant_id', '=', tenantId)
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        wanted.set(name, stored(id))
      }
      await soon([...wanted.values()])
      return wanted
    },

    async claim(tenantId, names, most) {
      await forgetClaims()
      for (const name of names) {
        const ofTenant = db.selectFrom('domain_proofs').select('id').where('tenant_id', '=', tenantId)
        if (await ofTenant.where('name', '=', name).executeTakeFirst()) continue
        await db
          .insertInto('domain_claims')
          .values({ id: newId(), created_at: now, updated_at: now, tenant_id: tenantId, name })
          .onConflict((known) => known.columns(['tenant_id', 'name']).doNothing())
          .execute()
      }
      const claims = await db
        .selectFrom('domain_claims')
        .select('created_at')
        .where('tenant_id', '=', tenantId)
        .orderBy('created_at')
        .limit(most + 1)
        .execute()
      return claims.length > most ? (claims[0]?.created_at ?? null) : null
    },

    async ofDomain(domainId) {
      const ids = await waitedForBy([domainId])
      if (ids.length === 0) return []
      const rows = await db.selectFrom('domain_proofs').selectAll().where('id', 'in', ids).orderBy('name').execute()
      return Promise.all(
        rows.map(async (row) => ({
          id: stored<Id>(row.id),
          tenantId: stored<Id>(row.tenant_id),
          name: stored<Fqdn>(row.name),
          record: recordOf(row.tenant_id, row.name),
          tries: await triesOf(row.id),
          nextTryAt: row.next_try_at,
        })),
      )
    },

    lookSoon: async (domainIds) => soon(await waitedForBy(domainIds)),

    async due(limit) {
      const rows = await db
        .selectFrom('domain_proofs')
        .selectAll()
        .where((eb) => eb.or([eb('next_try_at', '<=', now), eb('next_try_at', '>', later(longestPauseMs + 3_600_000))]))
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('domain_names')
              .select('domain_names.id')
              .whereRef('domain_names.proof_id', '=', 'domain_proofs.id')
              .where('domain_names.deleted_at', 'is', null),
          ),
        )
        .orderBy('next_try_at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        id: stored(row.id),
        tenantId: stored(row.tenant_id),
        name: Fqdn.parse(row.name),
        record: recordOf(row.tenant_id, row.name),
        tries: row.tries,
      }))
    },

    async begin({ id, tries }) {
      const result = await db
        .updateTable('domain_proofs')
        .set((eb) => ({ next_try_at: later(60_000), last_try_at: now, tries: eb('tries', '+', 1), updated_at: now }))
        .where('id', '=', id)
        .where('tries', '=', tries)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    async tried({ id }, { outcome, detail }, next) {
      // It may be gone with its domain since the DNS was asked.
      const change = { next_try_at: next, updated_at: now }
      const row = await db.updateTable('domain_proofs').set(change).where('id', '=', id).executeTakeFirst()
      if (row.numUpdatedRows === 0n) return
      const text = storable(detail)
        .replaceAll(/\p{Cc}/gu, ' ')
        .slice(0, 300)
      await db
        .insertInto('domain_proof_tries')
        .values({ id: newId(), created_at: now, updated_at: now, proof_id: id, outcome, detail: text })
        .execute()
      const newest = db
        .selectFrom('domain_proof_tries')
        .select('id')
        .where('proof_id', '=', id)
        .orderBy('created_at', 'desc')
        .limit(keptTries)
      await db.deleteFrom('domain_proof_tries').where('proof_id', '=', id).where('id', 'not in', newest).execute()
    },

    async postpone(id, until) {
      await db.updateTable('domain_proofs').set({ next_try_at: until, updated_at: now }).where('id', '=', id).execute()
    },

    async given(id) {
      const waiting = await db.selectFrom('domain_names').select('id').where('proof_id', '=', id).executeTakeFirst()
      if (waiting === undefined) await db.deleteFrom('domain_proofs').where('id', '=', id).execute()
      else await db.updateTable('domain_proofs').set({ next_try_at: null }).where('id', '=', id).execute()
    },

    async forgetUnused() {
      await db
        .deleteFrom('domain_proofs')
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('domain_names')
                .select('domain_names.id')
                .whereRef('domain_names.proof_id', '=', 'domain_proofs.id'),
            ),
          ),
        )
        .execute()
      await forgetClaims()
    },
  }
  return store
}
