/** Registry of the provisioners: one per job type, or it does not compile. */
import type { JobType } from '../../resources/jobs.ts'
import { installApp } from './app/install.ts'
import { loginLinkOfApp, resetLinkOfApp } from './app/links.ts'
import { createCertificate } from './certificate/create.ts'
import { updateCertificate } from './certificate/update.ts'
import { runCron } from './cron/run.ts'
import { createDatabase } from './database/create.ts'
import { deleteDatabase, purgeDatabase, restoreDatabase } from './database/delete.ts'
import { updateDatabase } from './database/update.ts'
import { createDatabaseUser, deleteDatabaseUser, updateDatabaseUser } from './database/users.ts'
import { createDomain } from './domain/create.ts'
import { deleteDomain, purgeDomain, restoreDomain } from './domain/delete.ts'
import { repairDomain } from './domain/repair.ts'
import { runInDomain } from './domain/run.ts'
import { suspendDomain, unsuspendDomain } from './domain/suspend.ts'
import { updateDomain } from './domain/update.ts'
import { factsProvisioners } from './facts-kinds.ts'
import type { AnyProvisioner } from './provisioner.ts'
import { adoptTenant } from './tenant/adopt.ts'
import { createTenant } from './tenant/create.ts'
import { deleteTenant, purgeTenant, restoreTenant } from './tenant/delete.ts'
import { limitTenant } from './tenant/limit.ts'
import { repairTenant } from './tenant/repair.ts'
import { suspendTenant, unsuspendTenant } from './tenant/suspend.ts'

export const provisioners = {
  'tenant.create': createTenant,
  'tenant.limit': limitTenant,
  'tenant.suspend': suspendTenant,
  'tenant.unsuspend': unsuspendTenant,
  'tenant.repair': repairTenant,
  'tenant.adopt': adoptTenant,
  'tenant.delete': deleteTenant,
  'tenant.restore': restoreTenant,
  'tenant.purge': purgeTenant,
  'domain.create': createDomain,
  'domain.update': updateDomain,
  'domain.suspend': suspendDomain,
  'domain.unsuspend': unsuspendDomain,
  'domain.repair': repairDomain,
  'domain.delete': deleteDomain,
  'domain.restore': restoreDomain,
  'domain.purge': purgeDomain,
  'certificate.create': createCertificate,
  'certificate.update': updateCertificate,
  'database.create': createDatabase,
  'database.update': updateDatabase,
  'database.delete': deleteDatabase,
  'database.restore': restoreDatabase,
  'database.purge': purgeDatabase,
  'database-user.create': createDatabaseUser,
  'database-user.update': updateDatabaseUser,
  'database-user.delete': deleteDatabaseUser,
  ...factsProvisioners,
  'domain.run': runInDomain,
  'cron.run': runCron,
  'app.install': installApp,
  'app.login-link': loginLinkOfApp,
  'app.reset-link': resetLinkOfApp,
} as const satisfies Record<JobType, AnyProvisioner>
