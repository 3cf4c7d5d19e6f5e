/** Registry of the job contracts, for both sides of the root line. Only `jobs.ts` of a slice is visible to the agent. */
import * as domain from './domain/jobs.ts'
import * as tenant from './tenant/jobs.ts'

export const jobContracts = {
  'tenant.create': tenant.tenantCreate,
  'tenant.limit': tenant.tenantLimit,
  'tenant.suspend': tenant.tenantSuspend,
  'tenant.unsuspend': tenant.tenantUnsuspend,
  'tenant.delete': tenant.tenantDelete,
  'tenant.restore': tenant.tenantRestore,
  'tenant.purge': tenant.tenantPurge,
  'domain.create': domain.domainCreate,
  'domain.update': domain.domainUpdate,
  'domain.suspend': domain.domainSuspend,
  'domain.unsuspend': domain.domainUnsuspend,
  'domain.delete': domain.domainDelete,
  'domain.restore': domain.domainRestore,
  'domain.purge': domain.domainPurge,
} as const

export type JobType = keyof typeof jobContracts
export const jobTypes = Object.keys(jobContracts) as readonly JobType[]
