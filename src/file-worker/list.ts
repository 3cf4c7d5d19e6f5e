/** A page of a directory in the order of its names' bytes, also of one with a hundred thousand entries. */
import { readdir } from 'node:fs/promises'
import { decodeName } from '../contract/file-path.ts'
import type { FileEntry, FileList } from '../contract/file-wire.ts'
import { entryOf } from './entry.ts'
import { at, inDirectory } from './place.ts'
import { Refusal, refusedByKernel } from './refusal.ts'

/** Names as text with one character per byte: comparing such texts compares the bytes. */
const bytewise = 'latin1'

interface Asked {
  readonly path: string
  readonly after: string | null
  readonly limit: number
}

export function list(root: string, { path, after, limit }: Asked): Promise<FileList> {
  return inDirectory(root, path, async (directory) => {
    const all = await readdir(at(directory, Buffer.from('.')), bytewise).catch(refusedByKernel('list', path))
    const from = after === null ? '' : (decodeName(after)?.toString(bytewise) ?? '')
    const names = firstAfter(all, from, limit + 1)
    const entries: FileEntry[] = []
    for (const text of names.slice(0, limit)) {
      const name = Buffer.from(text, bytewise)
      const entry = await entryOf({ directory, name }, path).catch(goneMeanwhile)
      if (entry !== undefined) entries.push(entry)
    }
    return { entries, hasMore: names.length > limit, total: all.length }
  })
}

/** The first of them in their order, without sorting all. */
export function firstAfter(all: readonly string[], after: string, most: number): string[] {
  const kept: string[] = []
  for (const name of all) {
    const last = kept.at(-1)
    if (name <= after || (kept.length === most && last !== undefined && name >= last)) continue
    kept.splice(placeOf(kept, name), 0, name)
    if (kept.length > most) kept.pop()
  }
  return kept
}

function placeOf(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < name) low = middle + 1
    else high = middle
  }
  return low
}

function goneMeanwhile(error: unknown): undefined {
  if (error instanceof Refusal && error.code === 'not_found') return undefined
  throw error
}
