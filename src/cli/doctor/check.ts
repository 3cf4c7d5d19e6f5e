/** One thing that must be so on a server, and what to do when it is not. */
import { WcpError } from '../../contract/errors.ts'

export interface Check {
  readonly name: string
  /** Looks only. A throw counts as a problem. */
  run(): Finding | Promise<Finding>
}

export type Finding =
  | { readonly state: 'ok'; readonly detail: string }
  /** `warning`: the panel works, but something it promises is not kept here. */
  | { readonly state: 'warning' | 'problem'; readonly detail: string; readonly remedy: string }

export function ok(detail: string): Finding {
  return { state: 'ok', detail }
}

export function problem(detail: string, remedy: string): Finding {
  return { state: 'problem', detail, remedy }
}

export function warning(detail: string, remedy: string): Finding {
  return { state: 'warning', detail, remedy }
}

/** The panel says itself what to do; what may not be read wants root. */
function remedyOf(error: unknown): string {
  if (error instanceof WcpError) return error.help
  return process.getuid?.() === 0
    ? '"wcp logs" may tell why; "wcp doctor" looks again.'
    : 'Run the command as root: "sudo wcp doctor".'
}

/** Runs all of them, in order; a check that cannot look is a problem of its own. */
export async function runChecks(checks: readonly Check[]): Promise<readonly (Finding & { readonly name: string })[]> {
  const findings = []
  for (const { name, run } of checks) {
    try {
      findings.push({ name, ...(await run()) })
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      findings.push({ name, ...problem(detail, remedyOf(error)) })
    }
  }
  return findings
}
