/** Plans: the changes that jobs would make, found by looking only: nothing is reserved, nothing is written. */
import type { Change, PlanReport } from '../../contract/wire.ts'
import type { AnyProvisioner, World } from '../kinds/provisioner.ts'
import type { Machine } from '../os/machine.ts'
import type { Step } from '../steps/step.ts'
import type { Turn } from './lanes.ts'
import type { TenantRecord } from './registry.ts'

export interface PlannedJob {
  readonly provisioner: AnyProvisioner
  /** Parsed by the provisioner's contract. */
  readonly payload: unknown
}

/** Refuses exactly what the jobs would be refused for; each finds the tenants that the ones before it will have made. */
export async function planJobs(jobs: readonly PlannedJob[], world: World, judging: Turn): Promise<PlanReport> {
  const report: PlanReport = []
  const foreseen: TenantRecord[] = []
  for (const { provisioner, payload } of jobs) {
    const ahead = { ...world, registry: world.registry.foreseeing(foreseen) }
    const target = await judging.take(() => provisioner.target(payload, ahead))
    report.push(await checkAll(provisioner.steps(target, world.machine), world.machine))
    const tenant = provisioner.foresee?.(target)
    if (tenant !== undefined) foreseen.push(tenant)
  }
  return report
}

export async function checkAll(steps: readonly Step[], machine: Machine): Promise<Change[]> {
  const changes: Change[] = []
  for (const step of steps) {
    const { action, diff } = (await step.check(machine)) ?? { action: 'same', diff: null }
    changes.push({ step: step.name, action, diff: diff?.slice(0, 20_000) ?? null })
  }
  return changes
}
