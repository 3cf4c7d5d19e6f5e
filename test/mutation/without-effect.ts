/** Changes that nobody can see from outside, each with the reason: no test can notice them, so they do not count. */
import type { Result } from './results.ts'

export interface WithoutEffect extends Pick<Result, 'source' | 'change'> {
  readonly reason: string
}

export const withoutEffect: readonly WithoutEffect[] = [
  {
    source: 'src/panel/operations/run-operation.ts',
    change:
      "prefersExistingJob && operation.effect === 'machine' ? idempotency.sameWords(… → prefersExistingJob ? idempotency.sameWords(…",
    reason:
      'words are kept with jobs alone, and only operations on the machine make jobs: for others none is ever found',
  },
  {
    source: 'src/panel/auth/api-keys.ts',
    change: '…: lastUsedAt === null ? 0 : Date.parse(lastUsedAt… → …: lastUsedAt === null ? 1 : Date.parse(lastUsedAt…',
    reason: 'the first and the second millisecond of 1970 are both long ago',
  },
  {
    source: 'src/agent/jobs/intake.ts',
    change:
      '…onst reason = String(why instanceof Error ? why.message : why).slice(0, 500) → …onst reason = String(why).slice(0, 500)',
    reason: 'the one error that comes here is a ZodError, which is its message as a string',
  },
  {
    source: 'src/agent/jobs/brake.ts',
    change: '…pproval === undefined ? 0 : journal().acceptedSin… → …pproval === undefined ? 1 : journal().acceptedSin…',
    reason: 'without an approval its count is 0, and less than 0 is told as 0',
  },
]

export function reasonOf({ source, change, noticed }: Result): string | undefined {
  if (noticed !== null) return undefined
  return withoutEffect.find((one) => one.source === source && one.change === change)?.reason
}
