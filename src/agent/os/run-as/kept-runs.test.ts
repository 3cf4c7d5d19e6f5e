/** The bound over the outputs of all tenants, with files that are as long as outputs and take no room. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { pruneAllRuns } from './kept-runs.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-runs-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** @param end when it ended, in seconds; none runs on */
function run(tenant: string, end?: number): void {
  const path = join(root, tenant, `run-${end ?? 'open'}`)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'output'), '')
  truncateSync(join(path, 'output'), 16 * 1024 * 1024)
  if (end === undefined) return
  writeFileSync(join(path, 'end'), '')
  utimesSync(join(path, 'end'), end, end)
}

const left = () => readdirSync(root).flatMap((tenant) => readdirSync(join(root, tenant)))

it('keeps 2 GiB of all tenants, the newest, and what runs', () => {
  for (let nth = 1; nth <= 200; nth++) run(`tenant-${nth % 60}`, nth)
  run('tenant-1')

  pruneAllRuns(root)

  const newest = Array.from({ length: 128 }, (_, index) => `run-${200 - index}`)
  expect(left().toSorted()).toEqual(['run-open', ...newest].toSorted())
})

it('is nothing before the first run', () => {
  expect(() => pruneAllRuns(join(root, 'none'))).not.toThrow()
})
