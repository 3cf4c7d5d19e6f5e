/** Failures in words for the panel: the failure of a step says why, not only that. */
import { WcpError } from '../../contract/errors.ts'
import type { Failure } from '../../contract/wire.ts'

const longest = 3900

/** @param step null when the job never began. */
export function failureOf(error: unknown, step: string | null): Failure {
  const known = error instanceof WcpError ? error : undefined
  return {
    step: step === null ? null : cut(step),
    code: known?.code ?? (step === null ? 'internal' : 'machine_failed'),
    message: cut(reason(error, step)),
    help: cut(known?.help ?? 'Mend the cause on the machine and send the request again; nothing was left half-made.'),
    ...(typeof known?.details.exit === 'number' && { exit: known.details.exit }),
  }
}

function reason(error: unknown, step: string | null): string {
  if (error instanceof WcpError) {
    const cause = error.cause instanceof Error ? `: ${firstLine(error.cause.message)}` : ''
    return `${error.message}${cause}`
  }
  if (step === null)
    return isOfSystem(error) ? `Cannot prepare the job: ${systemReason(error)}` : 'Cannot prepare the job'
  return `Cannot bring about "${step}": ${systemReason(error)}`
}

/** A reader can mend what the kernel or SQLite refused; an error in the code is for the log. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_')
}

/** Node has no name for EDQUOT (122): its code is "UNKNOWN" or "Unknown system error -122", by the way it was called. */
function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error was thrown'
  const isQuota = 'errno' in error && error.errno === -122
  return isQuota ? 'EDQUOT: disk quota exceeded' : firstLine(error.message)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)} ...` : text
}
