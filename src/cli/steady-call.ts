/**
 * Calls that outlive a restart of the panel: a change carries a key of its own, so it can be sent again until the panel
 * answers and is still made once.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../contract/errors.ts'
import type { HttpCall } from '../lib/http-call.ts'
import type { Output } from '../lib/print.ts'
import { type CallPanel, isUnanswered } from './client.ts'

/** How long a panel that went away is waited for, and one that was not there from the beginning. */
export interface Patience {
  readonly goneMs: number
  readonly absentMs: number
}

export const usualPatience: Patience = { goneMs: 60_000, absentMs: 30_000 }
const pauseMs = 250
/** An answer that says to come back this soon is waited for. */
const soonSeconds = 5

export interface Waiting {
  readonly call: CallPanel
  readonly output: Output
  readonly patience?: Patience
}

/** With a key, so that it is made once however often it is sent; the same words within an hour get the job that is there. */
export function withKey(call: HttpCall): HttpCall {
  return { ...call, headers: { 'idempotency-key': randomUUID(), prefer: 'existing-job' } }
}

/** @param wasThere the panel has answered before. Sends a call until it is answered; only what may come twice. */
export function steadyCall({ call, output, patience = usualPatience }: Waiting, wasThere: boolean): CallPanel {
  return async (one) => {
    const since = performance.now()
    let isTold = false
    let isGone = wasThere
    for (;;) {
      try {
        return await call(one)
      } catch (error) {
        const isToComeBack = asksToComeBack(error)
        if (!isToComeBack && !isUnanswered(error)) throw error
        isGone ||= isToComeBack || !isAbsent(error)
        if (performance.now() - since > (isGone ? patience.goneMs : patience.absentMs)) throw error
        if (!isTold) output.err('The panel does not answer; waiting for it …\n')
        isTold = true
        await sleep(pauseMs)
      }
    }
  }
}

/** Nothing of the call can have arrived. */
function isAbsent({ cause }: WcpError): boolean {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

/** The first one has arrived and is not through yet, or the panel itself has just begun. */
function asksToComeBack(error: unknown): error is WcpError {
  if (!(error instanceof WcpError)) return false
  const { retryAfterSeconds } = error.details
  if (error.code === 'conflict') return retryAfterSeconds !== undefined
  return error.code === 'unavailable' && Number(retryAfterSeconds) <= soonSeconds
}
