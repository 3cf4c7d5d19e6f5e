/** What a job would change, found by looking only: nothing is reserved, nothing is written. */
import type { PlanReport } from '../contract/wire.ts'
import type { Turn } from './lanes.ts'
import type { Machine } from './os/machine.ts'
import type { AnyProvisioner, World } from './provisioners/provisioner.ts'
import type { Step } from './steps/step.ts'

/** @param payload parsed by the provisioner's contract. Refuses exactly what the job would be refused for. */
export async function planJob(
  provisioner: AnyProvisioner,
  payload: unknown,
  world: World,
  judging: Turn,
): Promise<PlanReport> {
  const target = await judging.take(() => provisioner.target(payload, world))
  return checkAll(provisioner.steps(target, world.machine), world.machine)
}

export async function checkAll(steps: readonly Step[], machine: Machine): Promise<PlanReport> {
  const changes: PlanReport = []
  for (const step of steps) {
    const { action, diff } = (await step.check(machine)) ?? { action: 'same', diff: null }
    changes.push({ step: step.name, action, diff: diff?.slice(0, 20_000) ?? null })
  }
  return changes
}
