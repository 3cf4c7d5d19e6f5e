/** How much of the disk a tenant occupies: what the quota of the file system has counted, else what a walk finds. */
import { closeSync } from 'node:fs'
import { quotaUse } from '../os/disk-quota.ts'
import { errorCode } from '../os/error-code.ts'
import { type TreeSize, treeSize, type Walk } from '../os/tree-size.ts'
import { openTrusted, type Trust } from '../os/walk.ts'

export interface Tree {
  /** Of a directory that root alone made. */
  readonly path: string
  /** Whose files are in it. */
  readonly uid: number
}

/** @param quota a test's own in tests */
export async function diskUse(
  trust: Trust,
  { path, uid }: Tree,
  walk: Walk,
  quota: typeof quotaUse = quotaUse,
): Promise<TreeSize> {
  const counted = countedOf(trust, path, (directory) => quota(directory, uid))
  return typeof counted === 'number' ? { bytes: counted, isWhole: true } : await treeSize(trust, path, walk)
}

function countedOf(trust: Trust, path: string, ask: (directory: number) => number | string): number | string {
  try {
    const directory = openTrusted(trust, path)
    try {
      return ask(directory)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'ENOENT'
    throw error
  }
}
