/** Steps of a job as rows that are written once and never changed: a row stays open while its step runs. */
import type { StepState } from '../../contract/job.ts'
import type { Texts } from '../../lib/texts.ts'
import { renderPartial } from './view.ts'

interface StepNews {
  readonly index: number
  readonly name: string
  readonly state: StepState
  readonly note: string | null
}

export class StepRows {
  readonly #written = new Map<number, StepState>()
  #open: number | null = null
  readonly #t: Texts

  constructor(t: Texts) {
    this.#t = t
  }

  /** A step as the store had it when the page began. */
  known(step: { position: number; name: string; state: StepState | null; note: string | null }): string {
    return step.state === null ? '' : this.happened({ ...step, index: step.position, state: step.state })
  }

  happened(step: StepNews): string {
    // Steps that the page began with may be reported again.
    if (this.#written.get(step.index) === step.state) return ''
    this.#written.set(step.index, step.state)
    if (step.state === 'running') {
      const before = this.close()
      this.#open = step.index
      return before + renderPartial(this.#t, 'step-begin', { step })
    }
    if (this.#open !== step.index) return this.close() + renderPartial(this.#t, 'step', { step })
    this.#open = null
    return renderPartial(this.#t, 'step-end', { step })
  }

  /** Ends an open row whose end was not told. */
  close(): string {
    if (this.#open === null) return ''
    this.#open = null
    return '<span></span></span></li>'
  }
}
