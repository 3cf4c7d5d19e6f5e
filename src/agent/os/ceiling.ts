/** The ceiling for all customers together, and whether they are near it: pure but for the two reads of the machine. */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'

/** Of every process of every customer. */
export interface Usage {
  readonly memoryBytes: number
  readonly tasks: number
}

export interface Crowd extends Usage {
  /** Memory that the machine could still give to anybody. */
  readonly availableBytes: number
}

export interface Ceiling extends Usage {
  /** Below this the machine itself is short of memory, whoever has it. */
  readonly leastAvailableBytes: number
}

/** Above this part of the ceiling what rests makes room; the rest is for what runs and for what is just starting. */
const nearlyFull = 0.9
/** A master with its first worker, as far as it is not shared. */
const oneMore: Usage = { memoryBytes: 24 * 1024 * 1024, tasks: 4 }

/** @param starting how many have been let in since `crowd` was measured */
export function isCrowded(crowd: Crowd, ceiling: Ceiling, starting: number): boolean {
  const withMore = (key: keyof Usage) => crowd[key] + (starting + 1) * oneMore[key]
  return (
    withMore('memoryBytes') > ceiling.memoryBytes * nearlyFull ||
    withMore('tasks') > ceiling.tasks * nearlyFull ||
    crowd.availableBytes < ceiling.leastAvailableBytes
  )
}

export function ceilingOf(percent: number): Ceiling {
  const tasks = Math.min(...['pid_max', 'threads-max'].map(kernelNumber))
  const share = (all: number, of: number) => Math.floor((all * of) / 100)
  return {
    memoryBytes: share(totalmem(), percent),
    tasks: share(tasks, percent),
    leastAvailableBytes: share(totalmem(), 3),
  }
}

function kernelNumber(name: string): number {
  return Number(readFileSync(`/proc/sys/kernel/${name}`, 'utf8'))
}
