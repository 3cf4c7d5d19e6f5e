/** Has files that are no tenant's put back or adopted: one request at a time, so many an hour, each with a line in the audit log. */
import type { OwnFilesVerb } from '../../contract/wire.ts'
import { Budget } from './budget.ts'
import type { EngineOptions } from './engine-api.ts'
import { failureOf } from './failure.ts'
import { type RationedLog, rationedLog } from './rationed-log.ts'

/** A person does it, and rarely; each may reload the web server. */
const anHour = 20

export class OwnFiles {
  readonly #options: Pick<EngineOptions, 'ownFiles' | 'audit'>
  readonly #log: RationedLog
  readonly #budget = new Budget(anHour, 3_600_000)
  #underway: Promise<void> | undefined

  constructor(options: Pick<EngineOptions, 'ownFiles' | 'audit' | 'log'>) {
    this.#options = options
    this.#log = rationedLog(options.log)
  }

  /** What is dropped here stands as drift, and can be asked for again. */
  take(what: OwnFilesVerb, by: string): void {
    if (this.#underway !== undefined || this.#budget.spend() > 0) {
      this.#log('warn', { what, by }, 'own files stay as they are: they are being put back, or were too often')
      return
    }
    const { audit } = this.#options
    audit.note({ event: 'own-files.asked', what, by })
    this.#underway = this.#options
      .ownFiles(what, by)
      .catch((error) => {
        audit.note({ event: 'own-files.failed', what, problem: failureOf(error, null).message.slice(0, 500) })
        this.#log('warn', { err: error, what }, 'own files could not be put back or adopted')
      })
      .finally(() => {
        this.#underway = undefined
      })
  }

  ended(): Promise<void> | undefined {
    return this.#underway
  }
}
