/** What the client knows: what it asked for, what it was told, and what it cannot know. It outlives the server. */
import { z } from 'zod'
import type { Visitor } from '../e2e/visitor.ts'
import type { Deed } from './power-hosting.ts'

export type Outcome =
  /** Promised: from here on each of these jobs must be there and end. */
  | { readonly kind: 'acknowledged'; readonly jobs: readonly string[] }
  /** A clear no: nothing was begun. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer, half an answer, or one that says nothing about what happened. */
  | { readonly kind: 'unknown'; readonly why: string }

export interface Attempt {
  readonly number: number
  readonly deed: Deed
  /** The domain that is made together with a tenant. */
  readonly withDomain?: string
  outcome: Outcome
}

const Promised = z.looseObject({ jobId: z.string(), domain: z.looseObject({ jobId: z.string() }).nullish() })
const Problem = z.looseObject({ code: z.string() })
const JobState = z.looseObject({ state: z.string() })

export class Client {
  readonly attempts: Attempt[] = []
  /** Ends that the client has seen, by job. */
  readonly seenEnds = new Map<string, string>()
  readonly #panel: () => Visitor

  /** @param panel the visitor of now: who signs in again is another one. */
  constructor(panel: () => Visitor) {
    this.#panel = panel
  }

  /** Never throws. What was asked is noted before it is sent. */
  async submit(deed: Deed, tenant: string, withDomain?: string): Promise<Outcome> {
    const number = this.attempts.length + 1
    const outcome: Outcome = { kind: 'unknown', why: 'not answered yet' }
    const attempt: Attempt = { number, deed, ...(withDomain !== undefined && { withDomain }), outcome }
    this.attempts.push(attempt)
    attempt.outcome = await this.#ask(deed, tenant, withDomain)
    return attempt.outcome
  }

  /** The end of a job; undefined when the server went away before. */
  async end(job: string): Promise<string | undefined> {
    for (;;) {
      const answer = await this.#panel()
        .api('GET', `/jobs/${job}`)
        .catch(() => undefined)
      if (answer?.status !== 200) return undefined
      const { state } = JobState.parse(JSON.parse(answer.text))
      if (hasEnded(state)) {
        this.seenEnds.set(job, state)
        return state
      }
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  async #ask({ kind, verb, name }: Deed, tenant: string, withDomain?: string): Promise<Outcome> {
    try {
      const made =
        kind === 'tenant' ? { name, ...(withDomain !== undefined && { domain: withDomain }) } : { tenant, fqdn: name }
      const { status, text } =
        verb === 'create'
          ? await this.#panel().api('POST', `/${kind}s`, made)
          : verb === 'delete'
            ? await this.#panel().api('DELETE', `/${kind}s/${name}`)
            : await this.#panel().api('POST', `/${kind}s/${name}/${verb}`, {})
      if (status >= 500) return { kind: 'unknown', why: `${status}: ${text.slice(0, 200)}` }
      if (status >= 400) return { kind: 'refused', status, code: Problem.parse(JSON.parse(text)).code }
      const { jobId, domain } = Promised.parse(JSON.parse(text))
      return { kind: 'acknowledged', jobs: domain == null ? [jobId] : [jobId, domain.jobId] }
    } catch (error) {
      return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) }
    }
  }
}

export function hasEnded(state: string): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(state)
}
