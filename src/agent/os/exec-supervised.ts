/** One long-lived child kept running: adopted when it runs already, started again with growing pauses when it ends. */
import type { Log } from '../log.ts'
import type { ServiceProcess } from './exec.ts'
import type { ServiceState } from './services.ts'

export interface SupervisedOptions {
  readonly name: string
  /** Process id of one that somebody else started; asked before each start, and every second while it is the one. */
  adopted?(): number | undefined
  start(): Promise<ServiceProcess>
  readonly log: Log
}

const shortestPauseMs = 200
const longestPauseMs = 30_000
/** A process that lived this long had started well: the next pause is the shortest again. */
const healthyMs = 10_000

export class Supervised {
  readonly #options: SupervisedOptions
  #process: ServiceProcess | undefined
  #detail: string | undefined
  #timer: NodeJS.Timeout | undefined
  #pauseMs = shortestPauseMs
  #isWanted = false

  constructor(options: SupervisedOptions) {
    this.#options = options
  }

  /** Resolves when it runs or the first start has failed; further tries follow by themselves. */
  async begin(): Promise<void> {
    this.#isWanted = true
    await this.#look()
  }

  state(): ServiceState {
    const name = this.#options.name
    const pid = this.#process?.pid ?? this.#options.adopted?.()
    if (pid !== undefined) return { name, state: 'running', detail: `process ${pid}` }
    return { name, state: this.#isWanted ? 'failed' : 'stopped', ...(this.#detail && { detail: this.#detail }) }
  }

  /** Leaves the process running: the agent may be restarted without it. */
  forget(): void {
    this.#isWanted = false
    clearTimeout(this.#timer)
  }

  /** Ends it if it is our child; by force after `graceMs`. */
  async stop(signal: NodeJS.Signals, graceMs = 10_000): Promise<void> {
    this.forget()
    const running = this.#process
    if (!running) return
    running.kill(signal)
    const timer = setTimeout(() => running.kill('SIGKILL'), graceMs)
    await running.ended
    clearTimeout(timer)
  }

  async #look(): Promise<void> {
    if (!this.#isWanted || this.#process) return
    const began = performance.now()
    try {
      if (this.#options.adopted?.() !== undefined) return this.#again(1000)
      this.#process = await this.#options.start()
    } catch (error) {
      this.#ended(`it did not start: ${error instanceof Error ? error.message : error}`, began)
      return
    }
    this.#detail = undefined
    void this.#process.ended.then((code) => {
      this.#process = undefined
      this.#ended(`it ended with code ${code}`, began)
    })
  }

  #ended(detail: string, began: number): void {
    this.#detail = detail
    if (!this.#isWanted) return
    if (performance.now() - began > healthyMs) this.#pauseMs = shortestPauseMs
    this.#options.log.warn({ service: this.#options.name, detail, pauseMs: this.#pauseMs }, 'service ended')
    this.#again(this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }

  #again(pauseMs: number): void {
    this.#timer = setTimeout(() => void this.#look(), pauseMs)
    this.#timer.unref()
  }
}
