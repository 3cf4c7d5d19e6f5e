/** The jobs of a tenant. */
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { Id, Line, TenantLimits, TenantName } from '../../contract/values.ts'

const about = z.strictObject({ tenant: Id })
/** Restored in a suspended state. */
const isSuspended = z.literal(true).exactOptional()

export const tenantCreate = defineJob({
  type: 'tenant.create',
  payload: z.strictObject({ tenant: Id, name: TenantName, limits: TenantLimits }),
  kind: 'tenant',
  destructive: false,
  brake: 'creates',
  timeoutSeconds: 120,
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

export const tenantLimit = defineJob({
  type: 'tenant.limit',
  payload: z.strictObject({ tenant: Id, limits: TenantLimits }),
  kind: 'tenant',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 60,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

/** Also stops the tenant's processes; its data and its domains stay as they are. */
export const tenantSuspend = defineJob({
  type: 'tenant.suspend',
  payload: about,
  kind: 'tenant',
  destructive: false,
  brake: 'suspensions',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'suspended', failed: 'previous' },
})

export const tenantUnsuspend = defineJob({
  type: 'tenant.unsuspend',
  payload: about,
  kind: 'tenant',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 60,
  status: { queued: 'deploying', succeeded: 'active', failed: 'previous' },
})

/** Puts back what on the machine differs from what the registry has of the tenant, what was `adopted` only when told so; its sites have jobs of their own. */
export const tenantRepair = defineJob({
  type: 'tenant.repair',
  payload: about.extend({ adopted: z.literal(true).exactOptional() }),
  kind: 'tenant',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

/** What somebody else wrote into the configuration of the tenant's PHP stays in force. @see `src/agent/adopted-text.ts` */
export const tenantAdopt = defineJob({
  type: 'tenant.adopt',
  payload: about.extend({ by: Line.max(254) }),
  kind: 'tenant',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

/** Moves everything of the tenant to the trash, from where `tenant.restore` brings it back within 30 days. */
export const tenantDelete = defineJob({
  type: 'tenant.delete',
  payload: about,
  kind: 'tenant',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 300,
  status: { queued: 'deleting', succeeded: 'deleted', failed: 'previous' },
})

export const tenantRestore = defineJob({
  type: 'tenant.restore',
  payload: z.strictObject({ tenant: Id, isSuspended }),
  kind: 'tenant',
  destructive: false,
  brake: 'restores',
  timeoutSeconds: 300,
  status: { queued: 'restoring', succeeded: 'active', failed: 'deleted' },
})

/** Ends the 30 days: the data in the trash is removed for good. */
export const tenantPurge = defineJob({
  type: 'tenant.purge',
  payload: about,
  kind: 'tenant',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 3600,
  status: { queued: 'purging', succeeded: 'purged', failed: 'deleted' },
})
