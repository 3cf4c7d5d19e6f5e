/** Answers to what the panel asks: so many at once, and none that no frame can hold. */
import { WcpError } from '../../contract/errors.ts'
import { fitsFrame } from '../../contract/frame.ts'
import type { AgentMessage, Failure } from '../../contract/wire.ts'
import { failureOf } from './failure.ts'

type Ask = Extract<AgentMessage, { t: 'answer' }>['ask']

const mostQuestions = 16

export class Questions {
  readonly #emit: (message: AgentMessage) => void
  #open = 0

  constructor(emit: (message: AgentMessage) => void) {
    this.#emit = emit
  }

  answer(ask: Ask, work: () => Promise<unknown>): 'ok' {
    if (this.#open >= mostQuestions) {
      return this.refuse(ask, failureOf(new WcpError('busy', 'Cannot answer so many questions at once'), null))
    }
    this.#open++
    work()
      .then(
        (value) => this.#send(ask, value ?? null, null),
        (error) => this.refuse(ask, failureOf(error, null)),
      )
      .finally(() => this.#open--)
    return 'ok'
  }

  refuse(ask: Ask, failure: Failure): 'ok' {
    this.#send(ask, null, failure)
    return 'ok'
  }

  /** Thrown here, an answer that is too long would end the agent. */
  #send(ask: Ask, value: unknown, failure: Failure | null): void {
    const answer = { t: 'answer', ask, value, failure } as const
    const tooLong = new WcpError('too_large', 'Cannot send the answer: it is longer than a message may be')
    this.#emit(fitsFrame(answer) ? answer : { ...answer, value: null, failure: failureOf(tooLong, null) })
  }
}
