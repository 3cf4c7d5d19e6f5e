/** Lines of the log that a fault explains. Any other warning or error, and anything that is no JSON, fails the run. */

/** Said whenever one process ended and another goes on. */
const afterDeath = ['the agent is gone', 'the line to the agent failed', 'job is resumed', 'service ended']
/** Said of a fault that was told to the job. */
const afterError = [
  'audit log cannot be written',
  'mark of the end of the audit log cannot be written',
  'audit entries of the panel cannot be written',
  'idle PHP could not be looked for',
  'idle PHP did not stop',
  'file of root cannot be read and is ignored',
  'step failed',
  'a job failed',
  'job could not be prepared',
  'step could not be undone',
]
/** Of a command that its tenant ran: it is not begun again when nobody saw how it ended. */
const lostCommand = /^command of \S+ has ended$/
const afterLoss = ['step failed', 'a job failed']
/** Of a state that cannot be written any more: the agent ends and starts again. */
const afterBrokenJournal = [
  'journal cannot be used, nothing more will be changed',
  'job was refused: it cannot be written down',
]

/** The product says each of these somewhere: a test looks, for a line that was renamed would fail only now and then. */
export const knownLines: readonly string[] = [...afterDeath, ...afterError, ...afterBrokenJournal]

const warning = 40

/** @param fault `SIGKILL`, or the name of the error that was injected */
export function unexpectedLines(output: string, fault: string): readonly string[] {
  const allowed = fault === 'SIGKILL' ? afterDeath : knownLines
  return output
    .split('\n')
    .filter((line) => line !== '' && !isExpected(line, allowed))
    .map((line) => `unexpected line: ${line.slice(0, 400)}`)
}

function isExpected(line: string, allowed: readonly string[]): boolean {
  try {
    const { level, msg, step } = JSON.parse(line) as { level: number; msg: string; step?: string | null }
    const isRefusal = msg === 'a job failed' && step === null // the agent said no before anything was begun
    const isLoss = afterLoss.includes(msg) && lostCommand.test(step ?? '')
    return level < warning || isRefusal || isLoss || allowed.includes(msg)
  } catch {
    return false
  }
}
