/** What an answer of the web server means for a site. */
import type { HeadAnswer } from './http-line.ts'
import type { ProbeState } from './schema.ts'

export interface Outcome {
  readonly state: Exclude<ProbeState, 'unknown'>
  readonly ms: number | null
  readonly problem: string
}

/** The web server says so in its own pages: a suspension lasts (3600), work on a site is soon over (600). */
const closedFor: readonly (number | null)[] = [600, 3600]

export function outcomeOf(answer: HeadAnswer): Outcome {
  if ('failure' in answer) return { state: 'down', ms: null, problem: failures[answer.failure] ?? answer.failure }
  const { status, retryAfter, ms } = answer
  if (status === 503 && closedFor.includes(retryAfter)) return { state: 'closed', ms, problem: '' }
  const isBad = status >= 500 || status === 421 || status === 429
  return isBad ? { state: 'down', ms, problem: `status ${status}` } : { state: 'up', ms, problem: '' }
}

const failures: Readonly<Record<string, string>> = {
  refused: 'the web server does not listen',
  closed: 'the web server has no such site',
  timeout: 'no answer in time',
}
