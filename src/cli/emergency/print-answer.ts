/** An emergency answer for people: what was done, its facts, what went wrong, what comes next. */
import { errorTable, WcpError } from '../../contract/errors.ts'
import type { RescueAnswer, RescueProblem } from '../../contract/rescue.ts'
import { type Output, paint, plain, printChanges, printJson, printProblem, printTable } from '../../lib/print.ts'

/** @returns the exit code. */
export function printAnswer(output: Output, { report, problem }: RescueAnswer, asJson: boolean): number {
  const error = problem === null ? null : errorOf(problem)
  if (asJson) printJson(output, { report, problem: error?.toProblem() ?? null })
  else {
    if (report !== null) printReport(output, report)
    if (error !== null) printProblem(output, error)
    for (const sentence of report?.next ?? []) output.err(`${paint(output, 'dim', 'next:')} ${plain(sentence)}\n`)
  }
  return error === null ? 0 : errorTable[error.code].exit
}

function printReport(output: Output, { did, jobs, steps, drift }: NonNullable<RescueAnswer['report']>): void {
  for (const { resource, changes } of drift ?? []) {
    output.out(`${paint(output, 'bold', plain(resource))}\n`)
    printChanges(output, changes)
  }
  if (jobs !== undefined && jobs.length > 0) {
    printTable(output, ['id', 'type', 'tenant', 'token', 'state', 'step', 'failure'], jobs)
  }
  for (const { name, state, note } of steps ?? []) {
    output.out(`  ${state.padEnd(9)} ${plain(name)}${note === null ? '' : ` (${plain(note)})`}\n`)
  }
  for (const sentence of did) output.out(`${plain(sentence)}\n`)
}

function errorOf({ code, message, help, fields }: RescueProblem): WcpError {
  return new WcpError(code, message, { help, fields })
}
