/** The last word on a job. */
import type { Action } from '../../lib/page-model.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { path } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import type { JobDetail } from '../../resources/job/schema.ts'
import { detailPath, listPath } from './places.ts'

export interface JobEnd {
  readonly kind: 'good' | 'bad' | 'busy'
  /** Nothing comes after it. */
  readonly isOver: boolean
  readonly title: string
  readonly message: string
  readonly help: string
  readonly actions: readonly Action[]
}

/** @param again how its call is made once more */
export function jobEnd(t: Texts, job: JobDetail, again: readonly Action[]): JobEnd {
  const gone = job.type.endsWith('.delete') || job.type.endsWith('.purge')
  const about = { title: `${t.job.next} ${job.resourceName}`, href: detailPath(job.kind, job.resourceId) }
  const list = { title: t.kinds[job.kind]?.many ?? job.kind, href: listPath(job.kind) }
  const next = [gone && job.state === 'succeeded' ? list : about]
  const goOn = { title: t.job.goOn, href: path`/jobs/${job.id}` }
  const isOver = ['succeeded', 'failed', 'cancelled'].includes(job.state)
  const none = { isOver, message: '', help: '' }
  switch (job.state) {
    case 'succeeded':
      return { kind: 'good', title: t.job.succeeded, ...none, actions: next }
    case 'failed':
      return {
        kind: 'bad',
        isOver,
        title: t.job.failed,
        message: plainWords([job.failure?.step, job.failure?.message].filter((part) => part).join(': ')),
        help: plainWords(job.failure?.help ?? ''),
        actions: [...again, ...next],
      }
    case 'cancelled':
      return { kind: 'busy', title: t.job.cancelled, ...none, actions: [...again, ...next] }
    case 'stalled':
      return {
        kind: 'bad',
        isOver,
        message: '',
        ...(job.startedAt === null
          ? { title: t.job.notTaken, help: t.job.notTakenHelp }
          : { title: t.job.stalled, help: t.job.stalledHelp }),
        actions: [goOn, ...next],
      }
    case 'queued':
      return { kind: 'busy', title: t.job.queued, ...none, actions: [goOn] }
    case 'running':
      return { kind: 'busy', title: t.job.running, ...none, actions: [goOn] }
  }
}
