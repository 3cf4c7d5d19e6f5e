/** What processes have used: processor time and memory. */
import { readFileSync } from 'node:fs'

/** Ticks of proc(5)'s stat in a second; USER_HZ is 100 on every Linux that the product runs on. */
const ticksPerSecond = 100

/** Of the process and of its children that have ended and were waited for. */
export function processorSeconds(pid: number): number {
  const [user = 0, system = 0, ofChildren = 0, systemOfChildren = 0] = secondsOf(pid)
  return user + system + ofChildren + systemOfChildren
}

/** Of this process's children that have ended. Ticks are coarse for a short one; the sum over several is right. */
export function processorOfChildren(): number {
  const [, , user = 0, system = 0] = secondsOf('self')
  return user + system
}

/** utime, stime, cutime and cstime of proc(5). */
function secondsOf(pid: number | 'self'): readonly number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).map((field) => Number(field) / ticksPerSecond)
}

export interface Memory {
  readonly pss: number
  readonly anonymous: number
}

/** In MB of 1,000,000 bytes, from smaps_rollup (proc(5)). */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (key: string) => (Number(new RegExp(`^${key}: *(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6
  return { pss: megabytes('Pss'), anonymous: megabytes('Anonymous') }
}

/** Those that have ended meanwhile hold nothing. */
export function memoryOfAll(pids: readonly number[]): Memory {
  const all = pids.flatMap((pid) => {
    try {
      return [memoryOf(pid)]
    } catch {
      return []
    }
  })
  const sum = (key: keyof Memory) => all.reduce((total, one) => total + one[key], 0)
  return { pss: sum('pss'), anonymous: sum('anonymous') }
}
