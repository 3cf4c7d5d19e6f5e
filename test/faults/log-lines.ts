/** Lines of the log that a fault explains. Any other warning or error, and anything that is no JSON, fails the run. */

/** Said whenever one process ended and another goes on. */
const afterDeath = ['the agent is gone', 'job is resumed', 'service ended']
/** Said of a fault that was told to the job. */
const afterError = ['step failed', 'a job failed', 'job could not be prepared', 'step could not be undone']
/** Of a state that cannot be written any more: the agent ends and starts again. */
const afterBrokenJournal = [
  'journal cannot be used, nothing more will be changed',
  'agent ends: its state cannot be written',
]

const warning = 40

/** @param fault `SIGKILL`, or the name of the error that was injected */
export function unexpectedLines(output: string, fault: string): readonly string[] {
  const allowed = fault === 'SIGKILL' ? afterDeath : [...afterDeath, ...afterError, ...afterBrokenJournal]
  return output
    .split('\n')
    .filter((line) => line !== '' && !isExpected(line, allowed))
    .map((line) => `unexpected line: ${line.slice(0, 400)}`)
}

function isExpected(line: string, allowed: readonly string[]): boolean {
  try {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string }
    return level < warning || allowed.includes(msg)
  } catch {
    return false
  }
}
