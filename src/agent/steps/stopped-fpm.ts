import type { TenantName } from '../../contract/values.ts'
import type { FpmPool } from '../os/fpm-pool.ts'
import type { Machine } from '../os/machine.ts'
import { type Step, step } from './step.ts'

/**
 * The tenant's PHP that ran is stopped, and with it all that it remembered. The next request starts it with the settings of
 * then, so there is nothing to undo, and one that has been woken since, by a visitor of another site, is as wanted.
 * @param only this master of the tenant; all of them unless told
 */
export function stoppedFpm(tenant: TenantName, only?: FpmPool): Step {
  let wasStopped = false
  const awakeOf = async ({ services }: Machine) => {
    const awake = await services.awakeFpm()
    return awake.filter((one) => one.tenant === tenant && (only === undefined || one.pool === only))
  }
  return step<null>({
    name: `PHP of ${only ?? tenant} is stopped`,
    async check(machine) {
      if (wasStopped) return undefined
      return (await awakeOf(machine)).length > 0 ? { action: 'run', diff: null } : undefined
    },
    capture: async () => null,
    async apply(machine) {
      await Promise.all((await awakeOf(machine)).map(({ pool }) => machine.services.stopFpm(pool)))
      wasStopped = true
    },
    async undo() {},
  })
}
