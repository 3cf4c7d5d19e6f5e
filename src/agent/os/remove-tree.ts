/**
 * Removal of a tree that a tenant made, by root: every name is resolved below an open directory, no link is followed, no
 * other file system is entered, and no depth of nesting exhausts descriptors.
 */
import { closeSync, fchmodSync, fchownSync, fstatSync } from 'node:fs'
import { lstat, opendir, rename, rmdir, unlink } from 'node:fs/promises'
import { WcpError } from '../../contract/errors.ts'
import { errorCode } from './error-code.ts'
import { at, type DirectoryFd, openBelow } from './walk.ts'

/** One open descriptor per level; what is nested deeper is first moved up. */
const deepest = 64

interface Removal {
  readonly device: number
  /** Whose the directory is in which the tree lies: root's, and on the way down everything becomes it. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /** Where trees nested too deeply are moved to, and how many were. */
  readonly top: DirectoryFd
  lifted: number
  removed: number
  progress(removed: number): void
}

/** Removes `name` below the open directory with everything in it; nothing there is fine. Progress is told every 1,000 names. */
export async function removeTree(
  parent: DirectoryFd,
  name: string,
  progress: (removed: number) => void = () => {},
): Promise<void> {
  const found = await lstat(at(parent, name)).catch(unlessMissing)
  if (found === undefined) return
  if (!found.isDirectory()) return unlink(at(parent, name))
  const top = openBelow(parent, name)
  try {
    const { dev, uid, gid } = fstatSync(parent)
    const removal: Removal = { device: dev, owner: { uid, gid }, top, lifted: 0, removed: 0, progress }
    if (found.dev !== removal.device) throw isMount(name)
    // lifting adds names to the top while it is read: look again until nothing is left
    do {
      removal.lifted = 0
      await emptyOut(top, removal, 1)
    } while (removal.lifted > 0)
  } finally {
    closeSync(top)
  }
  await rmdir(at(parent, name))
}

/**
 * The directory is taken from its owner first: a process of the tenant that still stands in it, wherever it was moved to,
 * could otherwise fill it again for ever, or put another thing into the place of what was just looked at.
 */
async function emptyOut(directory: DirectoryFd, removal: Removal, depth: number): Promise<void> {
  const { uid, gid } = removal.owner
  fchownSync(directory, uid, gid)
  fchmodSync(directory, 0o700)
  for await (const { name } of await opendir(`/proc/self/fd/${directory}`)) {
    await removeEntry(directory, name, removal, depth)
    removal.removed++
    if (removal.removed % 1000 === 0) removal.progress(removal.removed)
  }
}

async function removeEntry(directory: DirectoryFd, name: string, removal: Removal, depth: number): Promise<void> {
  const found = await lstat(at(directory, name)).catch(unlessMissing)
  if (found === undefined) return
  if (!found.isDirectory()) return unlink(at(directory, name))
  if (found.dev !== removal.device) throw isMount(name)
  if (depth >= deepest) {
    removal.lifted++
    return rename(at(directory, name), at(removal.top, `.lifted-${found.ino}-${removal.lifted}`))
  }
  const child = openBelow(directory, name)
  try {
    await emptyOut(child, removal, depth + 1)
  } finally {
    closeSync(child)
  }
  await rmdir(at(directory, name))
}

function isMount(name: string): WcpError {
  return new WcpError('machine_failed', `Cannot remove "${name}": another file system is mounted there`)
}

function unlessMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error
}
