/** How often who may call: rates of requests and jobs, and what is written of those that had to wait or repeat themselves. */
import { limitEntries } from './audit/limit-entries.ts'
import { repeats } from './audit/repeats.ts'
import type { Base } from './base.ts'
import { rateLimits } from './http/rate-limits.ts'
import { callerOf } from './operations/caller-of.ts'
import type { OperationRunner } from './operations/run-operation.ts'

export interface CallLimitsOptions extends Pick<Base, 'config' | 'log'> {
  readonly recordRefusal: OperationRunner['recordRefusal']
  /** Refusals of one owner in a quarter of an hour that are written one by one. */
  readonly refusalsInFull: number | undefined
}

export type CallLimits = ReturnType<typeof callLimits>

export function callLimits({ config, log, recordRefusal, refusalsInFull }: CallLimitsOptions) {
  const onError = (err: unknown) => log.error({ err }, 'a refusal could not be written into the audit trail')
  const entries = limitEntries({
    record: (who, action, facts) =>
      recordRefusal({ ...who, requestId: null }, action, { code: 'too_many_requests', ...facts }),
    onError,
  })
  const repeated = repeats({ onError, ...(refusalsInFull !== undefined && { mostInFull: refusalsInFull }) })
  const rates = rateLimits(
    () => {
      const { requestsPerMinute, readsPerMinute, writesPerMinute, jobsPerMinute } = config.now
      return { requests: requestsPerMinute, reads: readsPerMinute, writes: writesPerMinute, jobs: jobsPerMinute }
    },
    (limit, request) => entries.refused(limit, callerOf(request)),
  )
  return {
    entries,
    repeats: repeated,
    rates,
    async stop(): Promise<void> {
      await entries.stop()
      await repeated.stop()
    },
  }
}
