/** Usage of all customers together now, by the kernel's own sums where there are any. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crowd, Usage } from './ceiling.ts'
import { isTenantUid } from './tenant-uids.ts'

const none: Usage = { memoryBytes: 0, tasks: 0 }

export function crowd(usage: Usage): Crowd {
  const available = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return { ...usage, availableBytes: available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024 }
}

/** Of a cgroup and everything below it, without the page cache, which the kernel takes back by itself. */
export function usageOfSlice(directory: string): Usage {
  try {
    const read = (name: string) => readFileSync(join(directory, name), 'utf8')
    const stat = read('memory.stat')
    const bytes = (key: string) => Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
    const cache = bytes('file') - bytes('shmem')
    return { memoryBytes: Number(read('memory.current')) - cache, tasks: Number(read('pids.current')) }
  } catch {
    return none // no customer has a process, or the machine counts nothing
  }
}

/** Of every process that runs under a tenant's uid; what the processes of one share is counted once. */
export function usageOfUids(statuses: Iterable<string> = readStatuses()): Usage {
  let tasks = 0
  let own = 0
  const shared = new Map<number, number>()
  for (const status of statuses) {
    const number = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    const uid = number('Uid')
    if (!isTenantUid(uid)) continue
    tasks += number('Threads')
    own += number('RssAnon')
    shared.set(uid, Math.max(shared.get(uid) ?? 0, number('RssShmem')))
  }
  const sum = [...shared.values()].reduce((a, b) => a + b, own)
  return { memoryBytes: sum * 1024, tasks }
}

function* readStatuses(): Generator<string> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      yield readFileSync(`/proc/${name}/status`, 'utf8')
    } catch {
      // it has ended
    }
  }
}
