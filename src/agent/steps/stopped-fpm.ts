import type { TenantName } from '../../contract/values.ts'
import { type Step, step } from './step.ts'

/**
 * The tenant's PHP that ran is stopped, and with it all that it remembered. The next request starts it with the settings of
 * then, so there is nothing to undo, and one that has been woken since, by a visitor of another site, is as wanted.
 */
export function stoppedFpm(tenant: TenantName): Step {
  let wasStopped = false
  return step<null>({
    name: `PHP of ${tenant} is stopped`,
    async check({ services }) {
      if (wasStopped) return undefined
      const awake = await services.awakeFpm()
      return awake.some((one) => one.tenant === tenant) ? { action: 'run', diff: null } : undefined
    },
    capture: async () => null,
    async apply({ services }) {
      await services.stopFpm(tenant)
      wasStopped = true
    },
    async undo() {},
  })
}
