/** What outlives an agent by design: nginx, and the PHP of tenants. */
import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Process, processesOf } from '../test/support/processes.ts'

/** Ends those of this directory alone, and leaves editors and shells that were told of it. */
export async function endServers(root: string): Promise<void> {
  for (let left = serversOf(root); left.length > 0; left = serversOf(root)) {
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it ended with its parent
      }
    }
    await pause(20)
  }
}

function serversOf(root: string): readonly Process[] {
  return processesOf(root).filter(({ pid }) => /^(nginx|bwrap|php-fpm[\d.]*)( \(deleted\))?$/.test(programOf(pid)))
}

function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return '' // it has ended, and waits to be told of
  }
}
