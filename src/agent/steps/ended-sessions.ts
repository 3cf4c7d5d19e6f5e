import type { TenantName } from '../../contract/values.ts'
import { endSessions, sessionRecords } from '../os/ssh-sessions.ts'
import { type Step, step } from './step.ts'

/** No SSH session of the tenant goes on. They are begun by people, so there is nothing to undo. */
export function endedSessions(tenant: TenantName): Step {
  return step<null>({
    name: `SSH sessions of ${tenant} are ended`,
    check: async ({ places }) => (openOnes(places, tenant).length > 0 ? { action: 'run', diff: null } : undefined),
    capture: async () => null,
    apply: ({ places }) => endSessions(openOnes(places, tenant)),
    async undo() {},
  })
}

function openOnes(places: Parameters<typeof sessionRecords>[0], tenant: TenantName) {
  return sessionRecords(places).flatMap((one) => (one.isOpen && one.tenant === tenant ? [one.id] : []))
}
