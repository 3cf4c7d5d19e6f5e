/** The jobs of a user that a database has beside the one of its name. No password is in them, but its verifier. */
import { z } from 'zod'
import { DatabaseAccess, type DatabaseEngine, DatabaseName, PasswordVerifier } from '../../contract/database.ts'
import { defineJob } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'

/** Of one database; each has connections of its own. */
export const mostOfDatabase = 20

/** In PostgreSQL rights are given inside of a database, where the root side does not go. */
export function hasUsers(engine: DatabaseEngine): boolean {
  return engine === 'mariadb'
}

const about = { tenant: Id, 'database-user': Id }
const common = { kind: 'database-user', destructive: false, brake: 'changes', timeoutSeconds: 120 } as const

export const databaseUserCreate = defineJob({
  ...common,
  type: 'database-user.create',
  payload: z.strictObject({
    ...about,
    database: Id,
    name: DatabaseName,
    access: DatabaseAccess,
    verifier: PasswordVerifier,
  }),
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

/** Another password. */
export const databaseUserUpdate = defineJob({
  ...common,
  type: 'database-user.update',
  payload: z.strictObject({ ...about, verifier: PasswordVerifier }),
  status: { queued: 'deploying', succeeded: 'previous', failed: 'previous' },
})

export const databaseUserDelete = defineJob({
  ...common,
  type: 'database-user.delete',
  payload: z.strictObject(about),
  status: { queued: 'deleting', succeeded: 'purged', failed: 'previous' },
})
