/**
 * The way to a directory that root may write in: one component at a time, by descriptor, never through a link.
 *
 * What is reached this way cannot be swapped under root's feet: the directory belongs to root and nobody else may write
 * in it (B8). Node has no openat(2); `/proc/self/fd/<fd>/<name>` with O_NOFOLLOW resolves one name below an open
 * directory just the same (proc(5)).
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isAbsolute, normalize, relative } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { errorCode } from './error-code.ts'

const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Ubuntu lets the group `syslog` write in /var/log; on the way only, since what is below is verified again. */
const groupMayWriteOnTheWay = new Set(['var/log'])

export interface Trust {
  /** Stands for `/`. */
  readonly root: string
  /** Uid that must own every directory from the root down to the one that is written in. */
  readonly owner: number
}

/** A place below an open directory, as a path for one system call. */
export function at(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`
}

/** Opens the directory after verifying every one on the way; the caller closes it. ENOENT is thrown as it is. */
export async function openTrusted(trust: Trust, path: string): Promise<FileHandle> {
  const names = namesBelow(trust.root, path)
  let directory = await open(trust.root, asDirectory)
  try {
    await verify(directory, trust, trust.root, false)
    for (const [index, name] of names.entries()) {
      const next = await openBelow(directory, name)
      await directory.close()
      directory = next
      const reached = names.slice(0, index + 1).join('/')
      const isOnTheWay = index < names.length - 1 && groupMayWriteOnTheWay.has(reached)
      await verify(directory, trust, `${trust.root.replace(/\/$/, '')}/${reached}`, isOnTheWay)
    }
    return directory
  } catch (error) {
    await directory.close()
    throw error
  }
}

/** Opens one directory below an open one; a link or anything else in its place is an error. */
export async function openBelow(directory: FileHandle, name: string): Promise<FileHandle> {
  try {
    return await open(at(directory, name), asDirectory)
  } catch (cause) {
    if (errorCode(cause) !== 'ENOTDIR' && errorCode(cause) !== 'ELOOP') throw cause
    throw new WcpError('machine_failed', `Cannot enter "${name}": it is not a directory, or a link to one`, { cause })
  }
}

function namesBelow(root: string, path: string): string[] {
  const names = relative(root, path).split('/').filter(Boolean)
  if (isAbsolute(path) && normalize(path) === path && names[0] !== '..' && !path.includes('\0')) return names
  throw new WcpError('internal', `Cannot use the path "${path}": it is not a plain path below "${root}"`)
}

async function verify(directory: FileHandle, trust: Trust, path: string, groupMayWrite: boolean): Promise<void> {
  const { uid, mode } = await directory.stat()
  if (uid !== trust.owner) {
    throw new WcpError('machine_failed', `Cannot write below "${path}": it belongs to uid ${uid}, not ${trust.owner}`)
  }
  if ((mode & (groupMayWrite ? 0o002 : 0o022)) !== 0) {
    throw new WcpError('machine_failed', `Cannot write below "${path}": others than its owner may write in it`)
  }
}
