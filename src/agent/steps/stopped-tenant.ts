import type { TenantName } from '../../contract/values.ts'
import { type Step, step } from './step.ts'

/** No process of the tenant is left. What is started on demand comes back on demand, so there is nothing to undo. */
export function stoppedTenant(tenant: TenantName): Step {
  return step<null>({
    name: `processes of ${tenant} are stopped`,
    async check({ services }) {
      const awake = await services.awakeFpm()
      const isAwake = awake.some((one) => one.tenant === tenant)
      return isAwake || (await services.runsAnything(tenant)) ? { action: 'run', diff: null } : undefined
    },
    capture: async () => null,
    apply: ({ services }) => services.stopTenant(tenant),
    async undo() {},
  })
}
