import type { TenantName } from '../../contract/values.ts'
import { type Step, step } from './step.ts'

/** The tenant's PHP does not run; the next request starts it with the settings of then, so there is nothing to undo. */
export function stoppedFpm(tenant: TenantName): Step {
  return step<null>({
    name: `PHP of ${tenant} is stopped`,
    async check({ services }) {
      const awake = await services.awakeFpm()
      return awake.some((one) => one.tenant === tenant) ? { action: 'run', diff: null } : undefined
    },
    capture: async () => null,
    apply: ({ services }) => services.stopFpm(tenant),
    async undo() {},
  })
}
