/**
 * Looks in the DNS for the proofs that are asked, a few at once, outside of every request and transaction. When a look is
 * due stands in the store, so that it outlives this process; the pauses grow, and after the last one somebody has to ask.
 */
import type { Logger } from 'pino'
import { asWcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { asPanel } from '../as-panel.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { acceptProof, type ProofContext } from './proof.ts'
import { type AskedProof, longestPauseMs } from './proof-store.ts'
import type { ProofTry } from './schema.ts'
import { lookUpTxt, type TxtAnswer } from './txt-lookup.ts'

export interface ProofCheckerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly hosts: () => Pick<ProofContext, 'panelHost' | 'machineHost'>
  /** As configured now; none: those of the system. */
  readonly servers: () => readonly string[]
  readonly onQueued: () => void
  readonly log: Logger
  readonly tickMs?: number | undefined
  readonly now?: () => number
}

/** Minutes after the first look, the second, …: people set a record and wait for it, or come back to it in days. */
const pauses = [1, 1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 720]
const longestPauseMinutes = longestPauseMs / 60_000
/** About a month. */
const mostTries = 40
const busyMs = 30_000
const atOnce = 8

/** @param tries how many looks there were. @returns null: no more by itself */
export function pauseAfter(tries: number): number | null {
  if (tries >= mostTries) return null
  return (pauses[tries - 1] ?? longestPauseMinutes) * 60_000
}

export function proofChecker(options: ProofCheckerOptions) {
  const { db, storesOf, hosts, servers, onQueued, log, tickMs = 3000, now = Date.now } = options
  const stopping = new AbortController()

  async function work(): Promise<void> {
    const due = await storesOf(db).proofs.due(atOnce)
    await Promise.all(due.map((proof) => look(proof).catch(logFault)))
  }

  const logFault = (err: unknown) => log.error({ err }, 'cannot check proofs of domains')

  async function look(proof: AskedProof): Promise<void> {
    if (!(await storesOf(db).proofs.begin(proof))) return
    const answer = await lookUpTxt(proof.record.name, { servers: servers(), signal: stopping.signal })
    if (stopping.signal.aborted) return
    const missing = whatIsMissing(answer, proof.record.value)
    if (missing === null) return accept(proof)
    log.info({ name: proof.name, ...missing }, 'a domain is not proven yet')
    await tried(proof, missing)
  }

  async function accept(proof: AskedProof): Promise<void> {
    try {
      const jobs = await db.transaction().execute(async (tx) => {
        const stores = storesOf(tx)
        const jobs = await acceptProof(contextOf(stores), proof, { byStaff: false })
        await recordProof(stores, proof, jobs)
        return jobs
      })
      log.info({ name: proof.name, tenant: proof.tenantId }, 'a domain is proven')
      if (jobs.length > 0) onQueued()
    } catch (error) {
      const { code, message } = asWcpError(error)
      if (code === 'internal') throw error
      // A job of the domain is under way: the proof does not run away.
      if (code === 'busy') return storesOf(db).proofs.postpone(proof.id, at(busyMs))
      await tried(proof, { outcome: 'not_to_be_had', detail: message })
    }
  }

  async function tried(proof: AskedProof, missing: Pick<ProofTry, 'outcome' | 'detail'>): Promise<void> {
    const pause = pauseAfter(proof.tries + 1)
    await storesOf(db).proofs.tried(proof, missing, pause === null ? null : at(pause))
  }

  const at = (ms: number) => new Date(now() + ms).toISOString()

  const contextOf = (stores: Stores): ProofContext => Object.assign(asPanel(stores, at(0)), hosts())

  async function recordProof({ audit }: Stores, { name, tenantId }: AskedProof, jobs: readonly Id[]): Promise<void> {
    await audit.append({
      id: newId(),
      at: at(0),
      actor: 'panel',
      actorId: null,
      tenantId,
      action: 'domain.verify',
      outcome: 'ok',
      metadata: { name, ...(jobs.length > 0 && { jobs }) },
      ip: null,
      requestId: null,
    })
  }

  const ticking = ticker(work, tickMs, logFault)

  return {
    start: ticking.start,
    async stop(): Promise<void> {
      stopping.abort()
      await ticking.stop()
    },
  }
}

/** @returns null when the proof is there */
function whatIsMissing(answer: TxtAnswer, value: string): Pick<ProofTry, 'outcome' | 'detail'> | null {
  if (answer.kind !== 'records') return { outcome: answer.kind, detail: answer.why }
  if (answer.values.includes(value)) return null
  const shown = answer.values.slice(0, 3).map((text) => (text.length > 80 ? `${text.slice(0, 80)}…` : text))
  return { outcome: 'other_value', detail: shown.join(' · ') }
}
