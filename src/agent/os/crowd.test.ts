import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isCrowded } from './ceiling.ts'
import { usageOfSlice, usageOfUids } from './crowd.ts'

const mb = 1024 * 1024
const status = (uid: number, anon: number, shmem: number) =>
  `Name:\tphp-fpm\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nRssAnon:\t${anon} kB\nRssShmem:\t${shmem} kB\nThreads:\t2\n`

it("counts tenants' processes alone, and what those of one share once", () => {
  const seen = [status(0, 900, 900), status(20_000, 10, 100), status(20_000, 20, 80), status(59_999, 1, 5)]

  expect(usageOfUids(seen)).toEqual({ memoryBytes: (10 + 20 + 100 + 1 + 5) * 1024, tasks: 6 })
})

it('leaves out the page cache of a cgroup, and shared memory not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-slice-'))
  const files = { 'memory.current': '1000\n', 'memory.stat': 'anon 500\nfile 450\nshmem 50\n', 'pids.current': '7\n' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)

  expect(usageOfSlice(directory)).toEqual({ memoryBytes: 600, tasks: 7 })
  rmSync(directory, { recursive: true })
  expect(usageOfSlice(directory)).toEqual({ memoryBytes: 0, tasks: 0 })
})

it.each([
  ['far below', 500, 100, 0, 900, false],
  ['near its memory', 880, 100, 0, 900, true],
  ['near its processes', 500, 898, 0, 900, true],
  ['near it with those that were let in just now', 500, 100, 20, 900, true],
  ['on a machine that others have filled', 10, 10, 0, 50, true],
])('is crowded or not: %s', (_, megabytes, tasks, starting, available, expected) => {
  const ceiling = { memoryBytes: 1000 * mb, tasks: 1000, leastAvailableBytes: 60 * mb }

  expect(isCrowded({ memoryBytes: megabytes * mb, tasks, availableBytes: available * mb }, ceiling, starting)).toBe(
    expected,
  )
})
