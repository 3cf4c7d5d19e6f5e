/** Root's record of a run: its begin, its deadline, its end. One directory per run. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode } from '../error-code.ts'
import type { RunEnd } from './tenant-run.ts'

const rootOnly = { mode: 0o600 }

/**
 * On the disk before anything is started, so that nothing is ever started twice.
 * @returns false when it was begun before
 */
export function markBegun(record: string, seconds: number): boolean {
  const parent = dirname(record)
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  try {
    mkdirSync(record, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(record, 'until'), String(Date.now() + seconds * 1000), rootOnly)
  const directory = openSync(parent, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
  return true
}

/** Milliseconds since 1970. */
export function deadlineOf(record: string): number {
  return Number(read(join(record, 'until')) ?? 0)
}

export function readEnd(record: string): RunEnd | undefined {
  const text = read(join(record, 'end'))
  return text === undefined ? undefined : JSON.parse(text) // our own, root's alone
}

export function writeEnd(record: string, end: RunEnd): void {
  const path = join(record, 'end')
  writeFileSync(`${path}.new`, JSON.stringify(end), rootOnly)
  renameSync(`${path}.new`, path)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
