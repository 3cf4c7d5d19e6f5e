/** One agent per machine: a lock that the kernel gives back when its holder ends, however it ends. */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { lastError, libc } from './libc.ts'

const LOCK_EX_NB = 2 | 4

export interface AgentLock {
  release(): void
}

export type LockAttempt = { readonly lock: AgentLock } | { readonly heldBy: string; readonly file: string }

/** @param agentState root's own directory: a file that others could open, others could lock. */
export function takeAgentLock(agentState: string): LockAttempt {
  const file = join(agentState, 'lock')
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  if (libc().flock(fd, LOCK_EX_NB) !== 0) {
    const reason = lastError()
    closeSync(fd)
    if (reason !== 'EWOULDBLOCK' && reason !== 'EAGAIN') throw new Error(`Cannot lock "${file}": ${reason}`)
    return { file, heldBy: readFileSync(file, 'utf8').trim() }
  }
  ftruncateSync(fd)
  writeSync(fd, `${process.pid}\n`, 0)
  return { lock: { release: () => closeSync(fd) } }
}
