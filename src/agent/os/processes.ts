/** Processes as /proc lists them, and signals to one of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { errorCode } from './error-code.ts'

interface Process {
  readonly pid: number
  /** One letter; `Z`: it has ended, and its parent has not asked for its exit code yet. */
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Since the boot, in clock ticks. */
  readonly startTicks: number
}

/** Undefined when there is none of that number (proc_pid_stat(5)). */
export function processOf(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the second field is a name in brackets that may hold anything
    const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [parent = 0, group = 0, session = 0] = fields.map(Number)
    return { pid, state, parent, group, session, startTicks: Number(fields[18]) }
  } catch {
    return undefined
  }
}

/** Numbers of all that there are now. */
export function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** All that there are now. The kernel adds up much for each: where a name is enough, ask for that alone. */
export function processes(): readonly Process[] {
  return pids().flatMap((pid) => processOf(pid) ?? [])
}

/** The name of its program, cut to 15 bytes; undefined when it has ended. */
export function programOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** To one that may have ended meanwhile; a negative number means its whole process group (kill(2)). */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}
