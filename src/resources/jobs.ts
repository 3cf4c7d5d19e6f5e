/** Registry of the job contracts, for both sides of the root line. Only `jobs.ts` of a slice is visible to the agent. */
import type { JobContract } from '../contract/job.ts'
import * as app from './app/jobs.ts'
import * as certificate from './certificate/jobs.ts'
import * as cron from './cron/jobs.ts'
import * as database from './database/jobs.ts'
import * as databaseUser from './database-user/jobs.ts'
import * as domain from './domain/jobs.ts'
import * as sshKey from './ssh-key/jobs.ts'
import * as tenant from './tenant/jobs.ts'

export const jobContracts = {
  ...byType(tenant),
  ...byType(domain),
  ...byType(certificate),
  ...byType(database),
  ...byType(databaseUser),
  ...byType(sshKey),
  ...byType(cron),
  ...byType(app),
} as const

export type JobType = keyof typeof jobContracts
/** Those that go on beside the other jobs of their tenant. */
export const besideTypes: readonly string[] = Object.values<JobContract>(jobContracts).flatMap(({ type, beside }) =>
  beside ? [type] : [],
)
export const jobTypes = Object.keys(jobContracts) as readonly JobType[]

type ByType<M> = { readonly [K in keyof M as M[K] extends JobContract<infer T> ? T : never]: M[K] }

/** The contracts among the exports of a slice's `jobs.ts`, in the order of a life. */
function byType<M extends object>(slice: M): ByType<M> {
  const contracts = Object.values(slice).filter(isContract)
  const ordered = contracts.toSorted((a, b) => place(a) - place(b))
  // what the filter lets through is what the type keeps
  return Object.fromEntries(ordered.map((one) => [one.type, one])) as unknown as ByType<M>
}

function isContract(one: unknown): one is JobContract {
  return typeof one === 'object' && one !== null && 'payload' in one && 'type' in one
}

/** A module's exports come in the order of their names, which is nobody's order (ECMA-262, module namespace objects). */
function place({ type }: JobContract): number {
  const verbs = [
    'create',
    'limit',
    'update',
    'suspend',
    'unsuspend',
    'repair',
    'adopt',
    'delete',
    'restore',
    'purge',
    'run',
  ]
  return verbs.indexOf(type.slice(type.indexOf('.') + 1))
}
