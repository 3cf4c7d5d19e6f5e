/** Root's password, checked for the setup page (B7). */
import type { RootCheck } from '../../contract/wire.ts'
import { Budget } from './budget.ts'
import type { EngineOptions } from './engine-api.ts'
import type { Message, Phase } from './phases.ts'
import { setupRefusal, spendSetupCode } from './setup-window.ts'

export class RootChecks {
  readonly #options: EngineOptions
  readonly #phase: () => Phase
  readonly #budget = new Budget(5, 60_000)
  #isChecking = false

  constructor(options: EngineOptions, phase: () => Phase) {
    this.#options = options
    this.#phase = phase
  }

  /**
   * A check without the code uses up nothing. With it: one at a time, five a minute. A check that fails in any way is no yes (B14):
   * the panel is told that it failed.
   */
  async verify({ password, code, from }: Message<'verify_root'>): Promise<RootCheck> {
    const { machine, log } = this.#options
    const refused = setupRefusal(machine, code, log)
    if (refused !== undefined) return { ok: false, retryAfterSeconds: null, refused }
    const waitMs = this.#isChecking ? 1000 : this.#budget.spend()
    if (waitMs > 0) return { ok: false, retryAfterSeconds: Math.ceil(waitMs / 1000), refused: null }
    this.#isChecking = true
    try {
      const isRoot = (await this.#options.verifyRoot(password, from)) === true
      if (!isRoot || this.#phase() !== 'setup') return { ok: false, retryAfterSeconds: null, refused: 'password' }
      await spendSetupCode(machine)
      return { ok: true, retryAfterSeconds: null, refused: null }
    } catch (error) {
      this.#options.log.error({ err: error }, 'root password could not be checked')
      throw error
    } finally {
      this.#isChecking = false
    }
  }
}
