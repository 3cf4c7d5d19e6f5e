/**
 * The messages between waker and agent, in frames of `frame.ts`. The agent dials, the waker asks. Parsed by hand:
 * the waker must stay small, and the root side takes nothing but one host name from it.
 */

/** Waker → agent. */
export interface WakeQuestion {
  readonly wake: string
}

/**
 * Why a host cannot be served: `unknown` and `static` have no PHP to wake, `suspended` may not, `failed` did not start,
 * `busy` is worth another try soon.
 */
export const wakeRefusals = ['unknown', 'static', 'suspended', 'failed', 'busy'] as const
export type WakeRefusal = (typeof wakeRefusals)[number]

/** Agent → waker, once for each question. */
export type WakeAnswer = { readonly ok: string } | WakeRefused
export interface WakeRefused {
  readonly refused: string
  readonly reason: WakeRefusal
  /** Seconds. */
  readonly retryAfter: number
}

/** The shape only: whoever uses the host parses it as `Fqdn`. */
export function parseWakeQuestion(value: unknown): WakeQuestion | undefined {
  return isRecord(value, ['wake']) && isHost(value.wake) ? { wake: value.wake } : undefined
}

export function parseWakeAnswer(value: unknown): WakeAnswer | undefined {
  if (isRecord(value, ['ok']) && isHost(value.ok)) return { ok: value.ok }
  if (!isRecord(value, ['refused', 'reason', 'retryAfter'])) return undefined
  const { refused, retryAfter } = value
  const reason = wakeRefusals.find((known) => known === value.reason)
  if (!isHost(refused) || !reason || !isSeconds(retryAfter)) return undefined
  return { refused, reason, retryAfter }
}

/** One rule for both: what can stand in nginx's `$host` for a site. */
const host = /^[a-z0-9.-]{3,253}$/

export function isHost(value: unknown): value is string {
  return typeof value === 'string' && host.test(value)
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 3600
}

function isRecord<K extends string>(value: unknown, keys: readonly K[]): value is Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const own = Object.keys(value)
  return own.length === keys.length && keys.every((key) => Object.hasOwn(value, key))
}
