/** Suspending and lifting: each hold belongs to a level, and who is below it can neither lift it nor go around it. */
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { conflict } from '../refusals.ts'
import { placeOf } from '../user/guards.ts'
import type { Held, HoldEffect } from './row.ts'
import { type Hold, type HoldLevel, type HoldReason, holdLevels } from './schema.ts'
import type { StandingHold } from './store.ts'

export interface HeldThing extends Held {
  readonly name: string
  /** Whose lock is taken; null: its own, for a person. */
  readonly tenantId: Id | null
  /** One hold more changes nothing. */
  readonly isClosed: boolean
}

type Changed = Promise<{ jobId: Id | null; holds: Hold[] }>

/** Puts or lifts a hold: what stands before it is what a failure of the job leads back to. */
export type HoldChange = () => Promise<void>
/** Null where the machine has no part in it. */
type Enqueue = (change: HoldChange) => Promise<Id | null>

const words = {
  suspend: { it: 'it', close: 'suspend', open: 'unsuspend', opens: 'Unsuspend brings it back', closed: 'suspended' },
  lock: { it: 'the tenant', close: 'lock', open: 'unlock', opens: 'Unlock lets its people in again', closed: 'locked' },
} as const satisfies Record<HoldEffect, unknown>

function wordsOf({ effect = 'suspend' }: Held): (typeof words)[HoldEffect] {
  return words[effect]
}

/** @param enqueue closes it, with a job where the machine has a part in it; asked for only where it is open */
export async function suspend(
  context: Context,
  thing: HeldThing,
  { reason, note }: { reason: HoldReason; note: string },
  enqueue: Enqueue,
): Changed {
  await lock(context, thing)
  const level = await levelOf(context)
  const standing = await context.holds.of(thing)
  const { close, opens, closed } = wordsOf(thing)
  if (standing.some((hold) => hold.level === level && hold.reason === reason))
    conflict(
      `${close} ${thing.kind} "${thing.name}"`,
      `it is ${closed} already`,
      `${opens}; a hold for another reason can stand beside this one.`,
    )
  const put = () => context.holds.put(thing, { level, reason, note, ...actingPerson(context) })
  const jobId = await changed(put, !thing.isClosed && enqueue)
  return { jobId, holds: shownTo(level, await context.holds.of(thing)) }
}

/** Lifts one hold: of those that the caller may lift, one of the highest level. @param enqueue opens it, with the last hold */
export async function unsuspend(
  context: Context,
  thing: HeldThing,
  reason: HoldReason | undefined,
  enqueue: Enqueue,
): Changed {
  await lock(context, thing)
  const level = await levelOf(context)
  const standing = await context.holds.of(thing)
  const what = `${wordsOf(thing).open} ${thing.kind} "${thing.name}"`
  const hold = toLift(thing, what, standing, { level, reason })
  const lift = async () => {
    if (hold !== null) await context.holds.lift(thing, hold.id)
  }
  const jobId = await changed(lift, standing.length <= 1 && enqueue)
  return { jobId, holds: shownTo(level, await context.holds.of(thing)) }
}

async function changed(change: HoldChange, enqueue: Enqueue | false): Promise<Id | null> {
  if (enqueue !== false) return await enqueue(change)
  await change()
  return null
}

async function lock({ tenants, users }: Context, { id, tenantId }: HeldThing): Promise<void> {
  await (tenantId === null ? users.lock(id) : tenants.lock(tenantId))
}

/** Refuses a caller below one of its holds. */
export async function refuseBelowHolds(context: Context, what: string, on: Held): Promise<void> {
  const level = await levelOf(context)
  const above = (await context.holds.of(on)).filter((hold) => !mayLift(level, hold.level))
  if (above.length > 0) throw below(on, what, above)
}

export async function holdsShown(context: Context, on: Held): Promise<Hold[]> {
  return shownTo(await levelOf(context), await context.holds.of(on))
}

/** Restored things keep their holds: for the payload of the restore. */
export async function closedIfHeld({ holds }: Context, on: Held): Promise<{ isSuspended?: true }> {
  return (await holds.of(on)).length > 0 ? { isSuspended: true } : {}
}

/** Null where it is suspended and nobody knows on whose word: that is for staff. */
function toLift(
  on: Held,
  what: string,
  standing: readonly StandingHold[],
  { level, reason }: { level: HoldLevel; reason: HoldReason | undefined },
): StandingHold | null {
  if (standing.length === 0) {
    if (mayLift(level, 'staff')) return null
    throw below(on, what, [{ level: 'staff', reason: 'other' }])
  }
  const named = standing.filter((hold) => reason === undefined || hold.reason === reason)
  if (named.length === 0)
    conflict(what, `no hold stands for the reason "${reason}"`, `These stand: ${inWords(standing)}.`)
  const liftable = named.filter((hold) => mayLift(level, hold.level))
  const highest = holdLevels.findLast((one) => liftable.some((hold) => hold.level === one))
  const [hold, ...others] = liftable.filter((one) => one.level === highest)
  if (hold === undefined) throw below(on, what, named)
  if (others.length > 0)
    conflict(
      what,
      `it is ${wordsOf(on).closed} for several reasons: ${inWords([hold, ...others])}`,
      'Name the one that is over.',
    )
  return hold
}

type Told = Pick<StandingHold, 'level' | 'reason'>

function below(on: Held, what: string, holds: readonly Told[]): WcpError {
  const { it, closed } = wordsOf(on)
  return new WcpError('forbidden', `Cannot ${what}: ${it} was ${closed} by ${inWords(holds)}`, {
    help: `Who ${closed} it, or somebody above them, lifts it: ask them.`,
  })
}

function inWords(holds: readonly Told[]): string {
  return holds.map(({ level, reason }) => `${level} (${reason})`).join(', ')
}

function shownTo(viewer: HoldLevel, holds: readonly StandingHold[]): Hold[] {
  return holds.map(({ level, reason, note, actor, since }) => {
    const isBelow = !mayLift(viewer, level)
    return { level, reason, note, by: isBelow ? null : actor, since, mayLift: !isBelow }
  })
}

function mayLift(level: HoldLevel, of: HoldLevel): boolean {
  return holdLevels.indexOf(level) >= holdLevels.indexOf(of)
}

const levels = { global: 'staff', reseller: 'reseller', local: 'customer' } as const

/** Of who really acts, also as another person. */
async function levelOf({ actor, users }: Context): Promise<HoldLevel> {
  if (actor.kind === 'root') return 'root'
  if (actor.impersonator === undefined) return levels[actor.scope.kind]
  return levels[placeOf(await users.get(actor.impersonator.id))]
}

function actingPerson({ actor }: Context): { actor: string; actorId: Id | null } {
  if (actor.kind === 'root') return { actor: 'root', actorId: null }
  const { id, email } = actor.impersonator ?? actor
  return { actor: email, actorId: id }
}
