/** The one table of what can go wrong: code → HTTP status, exit code of `wcp`, and what to do next. `docs/errors.md` is generated from it. */

export const errorTable = {
  bad_input: { status: 422, exit: 2, help: 'Correct the named fields and send the request again.' },
  malformed: { status: 400, exit: 2, help: 'Send a well-formed request; the API reference shows its shape.' },
  not_signed_in: { status: 401, exit: 3, help: 'Sign in and send the request again.' },
  forbidden: { status: 403, exit: 4, help: 'Ask an administrator for the permission that the message names.' },
  step_up_needed: {
    status: 403,
    exit: 4,
    help: 'Confirm that it is you on the page /confirm, then send it once more.',
  },
  second_factor_needed: { status: 403, exit: 4, help: 'Set up a second factor on the page of your account.' },
  not_found: { status: 404, exit: 5, help: 'Look the id or name up with the matching list command.' },
  wrong_method: { status: 405, exit: 2, help: 'Use a method that the API reference lists for this path.' },
  conflict: { status: 409, exit: 6, help: 'Look at the present state, then decide again.' },
  busy: { status: 409, exit: 6, help: 'Wait for the named job to end; "wcp job watch" follows it.' },
  limit_reached: { status: 409, exit: 7, help: 'Remove something or choose a larger package.' },
  precondition_failed: { status: 412, exit: 6, help: 'Read the resource again: somebody changed it meanwhile.' },
  too_large: { status: 413, exit: 2, help: 'Send less in one request.' },
  wrong_host: { status: 421, exit: 2, help: 'Use the address of the panel that the configuration names.' },
  too_many_requests: { status: 429, exit: 8, help: 'Wait as long as Retry-After says.' },
  setup_needed: {
    status: 403,
    exit: 9,
    help: 'Open the address that the installer printed; "wcp setup open" on the server prints a new one.',
  },
  stale: { status: 409, exit: 6, help: 'A newer job has been accepted for this resource; nothing was changed.' },
  machine_failed: {
    status: 500,
    exit: 10,
    help: 'Read the failed step of the job; mend the cause and send the request again.',
  },
  unavailable: { status: 503, exit: 11, help: 'Try again in a moment; "wcp doctor" tells what is not running.' },
  internal: { status: 500, exit: 12, help: 'Look into the log with "wcp logs"; the request id is in the answer.' },
} as const satisfies Record<string, { status: number; exit: number; help: string }>

export type ErrorCode = keyof typeof errorTable

/** One refused field: where it is (`limits.memMb`), what was wrong with it, what is accepted. */
export interface FieldError {
  readonly field: string
  readonly problem: string
  readonly accepted?: string
}

/**
 * The only error that is shown to people. `message` starts with "Cannot", quotes values and leaves the cause out: the
 * logger prints the chain.
 */
export class WcpError extends Error {
  readonly code: ErrorCode
  readonly fields: readonly FieldError[]
  /** Overrides the table's advice where something more exact can be said. */
  readonly help: string
  /** Facts for programs: the running job's id, seconds to wait. */
  readonly details: Readonly<Record<string, string | number>>

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      cause?: unknown
      fields?: readonly FieldError[]
      help?: string
      details?: Record<string, string | number>
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'WcpError'
    this.code = code
    this.fields = more.fields ?? []
    this.help = more.help ?? errorTable[code].help
    this.details = more.details ?? {}
  }

  get status(): number {
    return errorTable[this.code].status
  }

  /** The RFC 9457 problem document, the same for REST, CLI and terminal. */
  toProblem(): Problem {
    return {
      type: `https://wcp360.invalid/errors/${this.code}`,
      title: this.message,
      status: this.status,
      code: this.code,
      help: this.help,
      ...(this.fields.length > 0 && { fields: [...this.fields] }),
      ...(Object.keys(this.details).length > 0 && { details: this.details }),
    }
  }
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly help: string
  readonly fields?: readonly FieldError[]
  readonly details?: Readonly<Record<string, string | number>>
}

/** The error as people may see it: a `WcpError` as it is, anything else as `internal` without its text. */
export function asWcpError(error: unknown): WcpError {
  return error instanceof WcpError ? error : new WcpError('internal', 'Cannot finish the request', { cause: error })
}
