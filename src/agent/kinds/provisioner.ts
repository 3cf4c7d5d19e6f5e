/** How a job becomes facts about the machine: one object per job type, from its payload to what the registry keeps. */
import type { z } from 'zod'
import type { JobContract } from '../../contract/job.ts'
import type { Registry, TenantRecord } from '../jobs/registry.ts'
import type { AccountLookup } from '../os/accounts.ts'
import type { Machine } from '../os/machine.ts'
import type { Json, Step } from '../steps/step.ts'

/** The ground on which a payload is judged. Nothing here is written while it is judged. */
export interface World {
  readonly registry: Registry
  readonly machine: Machine
  readonly accounts: AccountLookup
  phpVersions(): readonly string[]
}

export interface Provisioner<C extends JobContract, T extends Json> {
  readonly contract: C
  /**
   * Resolves ids to what the root side knows of them, and refuses with a `WcpError` what is unknown, foreign, taken or in
   * the wrong state. The same request sent again is not refused: its facts hold already. The result is journaled.
   */
  target(payload: z.output<C['payload']>, world: World): Promise<T>
  /** Takes names and numbers in the registry before the first effect, so that no other job takes them. */
  reserve?(registry: Registry, target: T): void
  /** The same list for the same target, whatever has been done: a crash goes on from it. */
  steps(target: T, machine: Machine): readonly Step[]
  /** The change of the registry when the job succeeds. */
  settle(registry: Registry, target: T): void
  /** Takes `reserve` back once everything is undone. */
  release?(registry: Registry, target: T): void
  /** The tenant that will exist, for plans of what comes after. */
  foresee?(target: T): TenantRecord
}

/** A provisioner whose own types are hidden: payloads come from its contract, targets only from itself by way of the journal. */
export interface AnyProvisioner {
  readonly contract: JobContract
  target(payload: unknown, world: World): Promise<Json>
  reserve(registry: Registry, target: Json): void
  steps(target: Json, machine: Machine): readonly Step[]
  settle(registry: Registry, target: Json): void
  release(registry: Registry, target: Json): void
  foresee?(target: Json): TenantRecord
}

export function provision<C extends JobContract, T extends Json>(
  contract: C,
  rest: Omit<Provisioner<C, T>, 'contract'>,
): AnyProvisioner {
  // the one place that forgets the types: the engine parses payloads by `contract` and hands targets back unread
  return { reserve() {}, release() {}, ...rest, contract } as unknown as AnyProvisioner
}
