/**
 * One wanted fact about the machine. Apply, rollback, crash recovery, drift and dry run are all views of a list of steps,
 * so a provisioner states what shall be true and never how to get back.
 */
import type { Change } from '../../contract/wire.ts'
import type { Machine } from '../os/machine.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The difference that a check found; `undefined` means the fact holds. */
export type Difference = Pick<Change, 'diff'> & { readonly action: Exclude<Change['action'], 'same'> }

/**
 * @typeParam C what `capture` saw: enough, as JSON, to put the machine back.
 *
 * Contract, kept by `test/provisioners` for every step of every job:
 * - `check` only looks. `apply` after which `check` still differs is a failure of the step.
 * - `capture` is journaled and fsynced before `apply`; `apply` and `undo` may each be interrupted anywhere and run again.
 * - `undo` gets what `capture` saw and brings that state back; run twice it does nothing the second time.
 */
export interface Step<C extends Json = Json> {
  /** The fact, as people read it: `directory /srv/www/acme`, `PHP of acme is stopped`. */
  readonly name: string
  check(machine: Machine): Promise<Difference | undefined>
  capture(machine: Machine): Promise<C>
  apply(machine: Machine, before: C): Promise<void>
  undo(machine: Machine, before: C): Promise<void>
}

/** Hides a step's own capture type: a list holds steps of all kinds, and each gets back only what it captured itself. */
export function step<C extends Json>(definition: Step<C>): Step {
  return definition as unknown as Step
}
