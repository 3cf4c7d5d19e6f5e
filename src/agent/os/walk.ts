/**
 * The way to a directory that root may write in: one component at a time, by descriptor, never through a link.
 *
 * A path reached this way cannot be swapped meanwhile: the directory belongs to root and nobody else may write
 * in it (B8). Node has no openat(2); `/proc/self/fd/<fd>/<name>` with O_NOFOLLOW resolves one name below an open
 * directory just the same (proc(5)).
 *
 * The calls are synchronous: a job takes a thousand of them, each some microseconds, and handing one to the thread pool
 * costs ten times that. What waits for the disk, fsync, does not.
 */
import { closeSync, constants, fstatSync, fsync, openSync } from 'node:fs'
import { isAbsolute, normalize, relative } from 'node:path'
import { promisify } from 'node:util'
import { WcpError } from '../../contract/errors.ts'
import { errorCode } from './error-code.ts'

export const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Ubuntu lets the group `syslog` write in /var/log; on the way only, since what is below is verified again. */
export const groupMayWriteOnTheWay = new Set(['var/log'])

export interface Trust {
  /** Stands for `/`. */
  readonly root: string
  /** Uid that must own every directory from the root down to the one that is written in. */
  readonly owner: number
}

/** Descriptor of an open directory; whoever opened it closes it. */
export type DirectoryFd = number

/** Resolves when content and entries are on the disk. */
export const syncToDisk: (fd: number) => Promise<void> = promisify(fsync)

/** A place below an open directory, as a path for one system call. */
export function at(directory: DirectoryFd, name: string): string {
  return `/proc/self/fd/${directory}/${name}`
}

/** Opens the directory after verifying every one on the way; the caller closes it. ENOENT is thrown as it is. */
export function openTrusted(trust: Trust, path: string): DirectoryFd {
  const names = namesBelow(trust.root, path)
  let directory = openSync(trust.root, asDirectory)
  try {
    verify(directory, trust, trust.root, false)
    for (const [index, name] of names.entries()) {
      const next = openBelow(directory, name)
      closeSync(directory)
      directory = next
      const reached = names.slice(0, index + 1).join('/')
      const isOnTheWay = index < names.length - 1 && groupMayWriteOnTheWay.has(reached)
      verify(directory, trust, `${trust.root.replace(/\/$/, '')}/${reached}`, isOnTheWay)
    }
    return directory
  } catch (error) {
    closeSync(directory)
    throw error
  }
}

/** Opens one directory below an open one; a link or anything else in its place is an error. */
export function openBelow(directory: DirectoryFd, name: string): DirectoryFd {
  try {
    return openSync(at(directory, name), asDirectory)
  } catch (cause) {
    if (errorCode(cause) !== 'ENOTDIR' && errorCode(cause) !== 'ELOOP') throw cause
    throw new WcpError('machine_failed', `Cannot enter "${name}": it is not a directory, or a link to one`, { cause })
  }
}

/** The names on the way from the root to a plain absolute path. */
export function namesBelow(root: string, path: string): string[] {
  const names = relative(root, path).split('/').filter(Boolean)
  if (isAbsolute(path) && normalize(path) === path && names[0] !== '..' && !path.includes('\0')) return names
  throw new WcpError('internal', `Cannot use the path "${path}": it is not a plain path below "${root}"`)
}

function verify(directory: DirectoryFd, trust: Trust, path: string, groupMayWrite: boolean): void {
  demandTrusted(fstatSync(directory), trust, path, groupMayWrite)
}

/** Throws unless what was found of a directory makes it one that nobody else can write in. */
export function demandTrusted(
  { uid, mode }: { readonly uid: number; readonly mode: number },
  trust: Trust,
  path: string,
  groupMayWrite: boolean,
): void {
  if (uid !== trust.owner) {
    throw new WcpError('machine_failed', `Cannot write below "${path}": it belongs to uid ${uid}, not ${trust.owner}`)
  }
  if ((mode & (groupMayWrite ? 0o002 : 0o022)) !== 0) {
    throw new WcpError('machine_failed', `Cannot write below "${path}": others than its owner may write in it`)
  }
}
