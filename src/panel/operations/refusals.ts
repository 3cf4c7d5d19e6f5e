/** The outcome of a call that was refused or failed: the answer, its line in the log and its audit entry. */
import type { Logger } from 'pino'
import { asWcpError, type ErrorCode, type WcpError } from '../../contract/errors.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import type { Context } from '../../resources/context.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { storeTrouble } from '../../store/store-trouble.ts'
import type { Repeats } from '../audit/repeats.ts'
import type { Caller } from './admit.ts'
import { type AuditedCaller, audit } from './audit-call.ts'

export interface RefusalsOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly repeats: Pick<Repeats, 'isInFull'>
  readonly log: Logger
}

export function refusals({ db, storesOf, repeats, log }: RefusalsOptions) {
  /**
   * Every refused or failed change leaves one entry, and so does reading without the permission, until there are too many of
   * one tenant or person; strangers without a session do not get to fill the trail.
   */
  async function refuse(caller: Caller, operation: AnyOperation<Context>, error: unknown): Promise<WcpError> {
    const answer = shown(caller, operation, error)
    if (caller.actor === null || (operation.effect === 'read' && answer.code !== 'forbidden')) return answer
    if (storeTrouble(error)) return answer // it takes no entry either; the log has the line
    const isRefused = answer.status < 500
    if (isRefused && !isInFull(caller, operation.name, answer.code)) return answer
    const facts = { code: answer.code, fields: answer.fields.slice(0, 20).map(({ field }) => field) }
    try {
      await record(caller, operation.name, isRefused ? 'refused' : 'failed', facts)
    } catch (err) {
      log.error({ err, action: operation.name }, 'a refusal could not be written into the audit trail')
    }
    return answer
  }

  /** The answer alone, for a call that leaves no entry. */
  function shown({ requestId }: Caller, { name }: AnyOperation<Context>, error: unknown): WcpError {
    const trouble = storeTrouble(error)
    const answer = trouble ?? asWcpError(error)
    if (trouble || answer.code === 'internal') log.error({ err: error, action: name, requestId }, 'an operation failed')
    return answer
  }

  /** False: it is counted, and reported later. Root's are never too many. */
  function isInFull({ actor, ip }: Caller, action: string, code: ErrorCode): boolean {
    if (actor?.kind !== 'user') return true
    const { impersonator: by, scope } = actor
    const owner = by === undefined && scope.kind === 'local' ? `tenant ${scope.tenant}` : `person ${(by ?? actor).id}`
    return repeats.isInFull(owner, `${action} ${code}`, (count) =>
      recordRefusal({ actor, ip, requestId: null }, action, { code, refusals: count }),
    )
  }

  /** As every refused change, for a form that was forged. */
  async function recordForgery(caller: Caller, action: string): Promise<void> {
    if (isInFull(caller, action, 'forbidden')) await recordRefusal(caller, action, { code: 'forbidden' })
  }

  /** For refusals before an operation is reached. */
  async function recordRefusal(
    caller: AuditedCaller,
    action: string,
    facts: { readonly code: ErrorCode } & Record<string, unknown>,
  ): Promise<void> {
    await record(caller, action, 'refused', facts)
  }

  async function record(
    caller: AuditedCaller,
    action: string,
    outcome: 'refused' | 'failed',
    facts: Record<string, unknown>,
  ): Promise<void> {
    await db.transaction().execute((tx) => audit(storesOf(tx), caller, action, outcome, facts))
  }

  return { refuse, shown, recordRefusal, recordForgery }
}
