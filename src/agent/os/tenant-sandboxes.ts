/**
 * The PID namespaces that bubblewrap made for a tenant. Whatever left its session or its parent is still in one, and ends
 * with the namespace's first process. They are recognized by what root wrote on their command lines, so nothing has to be
 * remembered: also those are found that an earlier life of the agent started.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pids, programOf, signal } from './processes.ts'

export interface TenantSandbox {
  /** bubblewrap in the machine's own namespace, or its child, the first process of the new one. */
  readonly pid: number
  readonly isFirst: boolean
  /** The mark that `sandboxMark` put on the command line; undefined for PHP-FPM. */
  readonly mark: string | undefined
}

/** bubblewrap takes a variable away that is never there: a word on its command line, and nothing else. */
const markOption = '--unsetenv'

export function sandboxMark(mark: string): readonly string[] {
  return [markOption, mark]
}

/** @param own the tenant's tree, which no other sandbox has bound */
export function sandboxesOf(own: string): readonly TenantSandbox[] {
  return pids().flatMap((pid) => {
    if (programOf(pid) !== 'bwrap') return []
    const words = ownWords(pid) // none when it has ended
    const bound = words.indexOf(own)
    if (words[bound - 1] !== '--bind') return []
    const status = statusOf(pid)
    // a name and a command line can be anybody's; root's number cannot
    if (!/^Uid:\t0\t0\t0\t0$/m.test(status)) return []
    const mark = words[words.indexOf(markOption) + 1]
    return { pid, isFirst: /^NSpid:(?:\t\d+)+\t1$/m.test(status), mark: words.includes(markOption) ? mark : undefined }
  })
}

/** Resolves when none is left, with all that was in them. */
export async function endSandboxes(find: () => readonly TenantSandbox[]): Promise<void> {
  for (let left = find(); left.length > 0; left = find()) {
    for (const { pid } of left) signal(pid, 'SIGKILL')
    await sleep(5)
  }
}

/** bubblewrap's own words: after `--` comes the command, which may be the tenant's. */
function ownWords(pid: number): readonly string[] {
  const words = read(`/proc/${pid}/cmdline`).split('\0')
  const end = words.indexOf('--')
  return end === -1 ? [] : words.slice(0, end)
}

function statusOf(pid: number): string {
  return read(`/proc/${pid}/status`)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended
  }
}
