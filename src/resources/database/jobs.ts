/** The jobs of a database. No password is in them: the server keeps its verifier, and nothing else is asked for. */
import { z } from 'zod'
import { Collation, DatabaseEngine, DatabaseName, PasswordVerifier } from '../../contract/database.ts'
import { defineJob } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'

/** The panel's word on how many is not enough: so many at most, whatever a package says. */
export const mostOfTenant = 1000

const about = { tenant: Id, database: Id }

export const databaseCreate = defineJob({
  type: 'database.create',
  payload: z.strictObject({
    ...about,
    engine: DatabaseEngine,
    name: DatabaseName,
    collation: Collation,
    verifier: PasswordVerifier,
  }),
  kind: 'database',
  destructive: false,
  brake: 'creates',
  timeoutSeconds: 120,
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

/** Another password. */
export const databaseUpdate = defineJob({
  type: 'database.update',
  payload: z.strictObject({ ...about, verifier: PasswordVerifier }),
  kind: 'database',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 120,
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

/** Dumps it into the trash, from where `database.restore` brings it back within 30 days. */
export const databaseDelete = defineJob({
  type: 'database.delete',
  payload: z.strictObject(about),
  kind: 'database',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 4 * 3600,
  status: { queued: 'deleting', succeeded: 'deleted', failed: 'previous' },
})

/** With the password that it had. */
export const databaseRestore = defineJob({
  type: 'database.restore',
  payload: z.strictObject(about),
  kind: 'database',
  destructive: false,
  brake: 'restores',
  timeoutSeconds: 4 * 3600,
  status: { queued: 'restoring', succeeded: 'active', failed: 'deleted' },
})

export const databasePurge = defineJob({
  type: 'database.purge',
  payload: z.strictObject(about),
  kind: 'database',
  destructive: true,
  brake: 'deletes',
  timeoutSeconds: 3600,
  status: { queued: 'purging', succeeded: 'purged', failed: 'deleted' },
})
