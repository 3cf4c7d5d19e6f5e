/**
 * Captures of one job, each at its step of this version's list. The job may have been begun by another version with another
 * list: a capture belongs to the step of its name, and its number only says in which order captures were made.
 */
import type { Json, Step } from '../steps/step.ts'
import type { Journal, JournaledJob } from './journal.ts'

interface Captured {
  /** Of its step in this version; -1 when this version has no such step. */
  readonly index: number
  readonly number: number
  readonly name: string
  readonly before: Json
}

export class Captures {
  readonly #job: JournaledJob
  readonly #steps: readonly Step[]
  readonly #journal: Journal
  readonly #all: Captured[]

  constructor(job: JournaledJob, steps: readonly Step[], journal: Journal) {
    this.#job = job
    this.#steps = steps
    this.#journal = journal
    this.#all = journal.captures(job).map(({ step, name, before }) => ({
      index: indexOf(steps, step, name),
      number: step,
      name,
      before: before as Json,
    })) // as it was written
  }

  /** Name of a captured step that this version does not have. */
  get foreign(): string | undefined {
    return this.#all.find(({ index }) => index < 0)?.name
  }

  /** How it was before the step; undefined when the step was never begun. */
  before(index: number): Json | undefined {
    return this.#all.find((one) => one.index === index)?.before
  }

  /** On the disk when this resolves, and only then the step may be applied. @returns the capture */
  async add(index: number, before: Json): Promise<Json> {
    const name = this.#steps[index]?.name ?? ''
    const number = this.#all.some((one) => one.number === index) ? this.#next() : index
    await this.#journal.capture(this.#job, number, name, before)
    this.#all.push({ index, number, name, before })
    return before
  }

  lastFirst(): readonly Captured[] {
    return this.#all.toSorted((one, other) => other.number - one.number)
  }

  #next(): number {
    return Math.max(this.#steps.length, ...this.#all.map(({ number }) => number + 1))
  }
}

function indexOf(steps: readonly Step[], number: number, name: string): number {
  return steps[number]?.name === name ? number : steps.findIndex((step) => step.name === name)
}
