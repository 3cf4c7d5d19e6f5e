/** The words that several emergency commands share. */
import { type ErrorCode, errorTable, WcpError } from '../../contract/errors.ts'
import type { RescueReport } from '../../contract/rescue.ts'
import type { Failure } from '../../contract/wire.ts'

export const startAgain = 'Start the daemon again: "systemctl start wcpd", or "wcpd" where systemd does not run.'

/** Something was done before the rest failed, and has to be told. */
export class HalfDone extends Error {
  override readonly name = 'HalfDone'
  readonly report: RescueReport

  constructor(report: RescueReport, cause: unknown) {
    super('only a part was done', { cause })
    this.report = report
  }
}

export function errorOf({ code, message, help }: Failure): WcpError {
  return new WcpError(isErrorCode(code) ? code : 'machine_failed', message, { help })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error was thrown'
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
