/** Admission to an operation: permission, proof, input. */
import type { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { AnyOperation, Operation, Policy } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import { holds } from '../../resources/rights.ts'
import type { Db } from '../../store/database.ts'
import type { Session } from '../http/types.ts'
import { badInput } from './field-errors.ts'

export interface Caller {
  readonly actor: Actor | null
  /** null for the private socket. */
  readonly ip: string | null
  readonly requestId: string
  /** For a caller with a browser session: `Context.session`, in the transaction of the call. */
  readonly actAs?: (tx: Db, user: Id) => Promise<void>
  /** Of the browser's session or of the program that acts; null for root. */
  readonly session: Pick<Session, 'confirmedAt' | 'mustEnrol'> | null
}

/** A caller who was let in. */
export type Who = Pick<Context, 'actor' | 'mustEnrol'>

/** @throws WcpError */
export function admit<I extends z.ZodObject>(caller: Caller, operation: Operation<Context, I>, input: unknown) {
  const { actor } = caller
  if (actor === null) throw new WcpError('not_signed_in', `Cannot run ${operation.name}: nobody is signed in`)
  if (isBarred(actor, operation.policy)) throw barred(actor, operation)
  if (!mayCall(actor, operation))
    throw new WcpError('forbidden', `Cannot run ${operation.name}: the permission "${operation.name}" is missing`)
  demandProof(caller, actor, operation)
  const parsed = operation.input.safeParse(input)
  if (!parsed.success) throw badInput(parsed.error, input, Object.keys(operation.input.shape))
  return { who: { actor, mustEnrol: Boolean(caller.session?.mustEnrol) }, parsed: parsed.data }
}

/** For so long a password or code that was shown lets dangerous operations through (threats §4, step-up). */
const stepUpMs = 10 * 60_000

/**
 * By permission, by the scope that the operation is made for, and neither as another person nor by an API key where that
 * could lead on. What everyone may do with their own account is for a key only where it is a permission of its owner.
 */
export function mayCall(
  actor: Actor | null,
  { name, policy, isForEveryone }: Pick<AnyOperation, 'name' | 'policy' | 'isForEveryone'>,
): boolean {
  if (actor === null) return false
  if (actor.kind === 'root') return true
  const isPermitted = holds(actor, name) || (isForEveryone === true && actor.key === undefined)
  return isPermitted && policy.scopes.includes(actor.scope.kind) && !isBarred(actor, policy)
}

function isBarred(actor: Actor, policy: Policy): boolean {
  return policy.isSensitive === true && actor.kind === 'user' && (actor.impersonator ?? actor.key) !== undefined
}

function barred(actor: Actor, { name }: AnyOperation): WcpError {
  if (actor.kind === 'user' && actor.key !== undefined)
    return new WcpError('forbidden', `Cannot run ${name} with an API key`, { help: 'Sign in and do it yourself.' })
  return new WcpError('forbidden', `Cannot run ${name} while acting as another person`, {
    help: 'End acting as this person first.',
  })
}

/** Root has shown the machine's own proof; an API key names what it is for, and was made with a fresh proof. */
function demandProof({ session }: Caller, actor: Actor, { name, stepUp, whileEnrolling }: AnyOperation): void {
  if (actor.kind === 'root') return
  if (session?.mustEnrol && !whileEnrolling)
    throw new WcpError('second_factor_needed', `Cannot run ${name}: your account needs a second factor first`)
  if (stepUp && actor.key === undefined && !isFresh(session))
    throw new WcpError('step_up_needed', `Cannot run ${name} before you have confirmed that it is you`)
}

/** Whether dangerous operations are let through now. */
export function isFresh(session: Caller['session']): boolean {
  return session !== null && Date.now() - Date.parse(session.confirmedAt) < stepUpMs
}
