/** The jobs of a domain and the site behind it. */
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { SiteSettings } from '../../contract/site-settings.ts'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { Fqdn, HttpsPolicy, Id, PhpVersion } from '../../contract/values.ts'

const about = z.strictObject({ tenant: Id, domain: Id })
/** Restored in a suspended state. */
const isSuspended = z.literal(true).exactOptional()
const site = { aliases: z.array(Fqdn).max(50), php: PhpVersion.nullable() }

/** `php: null` is a site without PHP. The site's directory is named after the domain and never renamed. */
export const domainCreate = defineJob({
  type: 'domain.create',
  payload: z.strictObject({ tenant: Id, domain: Id, fqdn: Fqdn, ...site }),
  kind: 'domain',
  destructive: false,
  brake: 'creates',
  timeoutSeconds: 120,
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

export const domainUpdate = defineJob({
  type: 'domain.update',
  /** `https`, `settings`: as they are unless given. */
  payload: z.strictObject({
    tenant: Id,
    domain: Id,
    ...site,
    https: HttpsPolicy.exactOptional(),
    settings: SiteSettings.exactOptional(),
  }),
  kind: 'domain',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

export const domainSuspend = defineJob({
  type: 'domain.suspend',
  payload: about,
  kind: 'domain',
  destructive: false,
  brake: 'suspensions',
  timeoutSeconds: 60,
  status: { queued: 'deploying', succeeded: 'suspended', failed: 'previous' },
})

export const domainUnsuspend = defineJob({
  type: 'domain.unsuspend',
  payload: about,
  kind: 'domain',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 60,
  status: { queued: 'deploying', succeeded: 'active', failed: 'previous' },
})

/** Puts back what on the machine differs from what the registry has of the site. */
export const domainRepair = defineJob({
  type: 'domain.repair',
  payload: about,
  kind: 'domain',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

/** Moves the site's files to the trash, from where `domain.restore` brings them back within 30 days. */
export const domainDelete = defineJob({
  type: 'domain.delete',
  payload: about,
  kind: 'domain',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 300,
  status: { queued: 'deleting', succeeded: 'deleted', failed: 'previous' },
})

export const domainRestore = defineJob({
  type: 'domain.restore',
  payload: z.strictObject({ tenant: Id, domain: Id, isSuspended }),
  kind: 'domain',
  destructive: false,
  brake: 'restores',
  timeoutSeconds: 300,
  status: { queued: 'restoring', succeeded: 'active', failed: 'deleted' },
})

export const domainPurge = defineJob({
  type: 'domain.purge',
  payload: about,
  kind: 'domain',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 3600,
  status: { queued: 'purging', succeeded: 'purged', failed: 'deleted' },
})

export const longestRunSeconds = 3600

/** A command of the tenant's own, as the tenant: the one payload with words of a person's (docs/0021-tenant-commands.md). */
export const runPayload = z.strictObject({
  tenant: Id,
  domain: Id,
  run: Id,
  command: TenantCommand,
  seconds: z.int().min(1).max(longestRunSeconds),
})

export const domainRun = defineJob({
  type: 'domain.run',
  payload: runPayload,
  kind: 'domain',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 2 * longestRunSeconds,
  status: { queued: 'previous', succeeded: 'previous', failed: 'previous' },
  beside: true,
})
