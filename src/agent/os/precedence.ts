/** Precedence where processes want more processors than there are: visitors before the panel, a look around after everybody. */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { processOf } from './processes.ts'

/** The lowest; as long as no class is set, Linux takes the lowest priority for reading from disks with it (ioprio_set(2)). */
const lowest = 19
/** A tenth of what another session gets: the lowest, a seventieth, would not come to an end where all processors are taken. */
const ofSession = 10
/** Ten times what another gets, as in `wcp360-nginx.conf`. */
const first = -10

/**
 * Puts this process behind all others. Sessions may share the processors evenly before the priorities inside of each count,
 * and then have one of their own (sched(7), "The autogroup feature"): it is lowered for a session that this process leads,
 * another's is not ours to lower.
 */
export function standBack(): void {
  setPriority(0, lowest)
  if (processOf(process.pid)?.session === process.pid) setSession(process.pid, ofSession)
}

/** So long a look around works, and so long it then lets others: niceness says nothing to the processes of other cgroups. */
const workMs = 2
const restMs = 4

/** @returns to be called between two things that are looked at: waits where it has worked for long enough */
export function resting(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < workMs) return
    await pause(restMs)
    since = performance.now()
  }
}

/** Puts a process that has just been started, and leads its session, before others; what it starts later has the same. */
export function goFirst(pid: number): void {
  try {
    setPriority(pid, first)
  } catch {
    // A container that may not: everything is right at any priority.
  }
  setSession(pid, first)
}

function setSession(leader: number, nice: number): void {
  try {
    writeFileSync(`/proc/${leader}/autogroup`, String(nice))
  } catch {
    // A kernel without the feature, or /proc read-only: what is to be done is right at any priority.
  }
}
