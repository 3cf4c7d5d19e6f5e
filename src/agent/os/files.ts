/**
 * The only module that writes files on the root side.
 *
 * Every change is one atomic system call in a directory that `walk.ts` has verified, followed by an fsync of that
 * directory: a reader, or a machine that loses power, sees the old state or the new one. Leftovers of an interrupted
 * call bear a name derived from the one that was written, and the next call for it, or its removal, takes them away.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { errorCode } from './error-code.ts'
import { lastError, libc } from './libc.ts'
import { removeTree } from './remove-tree.ts'
import { at, type DirectoryFd, openBelow, openTrusted, syncToDisk, type Trust } from './walk.ts'

const readLimit = 1024 * 1024

export interface Ownership {
  /** Permission bits, exactly. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The state of a path: enough, as JSON, to restore it, except for what is in a directory. */
export type Entry =
  | { readonly type: 'absent' }
  | {
      readonly type: 'file'
      readonly mode: number
      readonly uid: number
      readonly gid: number
      readonly base64: string
    }
  | { readonly type: 'directory'; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly type: 'link'; readonly target: string }
  /** Socket, device, pipe, or a file over 1 MiB: never ours, never replaced. */
  | { readonly type: 'other' }

export interface Files {
  /** Nothing is followed; a missing directory on the way is `absent` too. */
  look(path: string): Promise<Entry>
  /** As `look`, without reading and at once: whether anything is at the place. */
  existsNow(path: string): boolean
  /** Names in a directory, sorted; none when it is missing. */
  list(path: string): Promise<readonly string[]>
  /** Text of a file of at most 1 MiB; undefined when there is none. */
  readText(path: string): Promise<string | undefined>
  /** Replaces file or link; a directory in its place is an error. */
  writeFile(path: string, content: string | Uint8Array, ownership: Ownership): Promise<void>
  /** As `writeFile`, by whoever is given the descriptor: what is longer than memory. */
  writeBy(path: string, ownership: Ownership, write: (file: number) => Promise<void>): Promise<void>
  /** Gives a descriptor of the file to read from. */
  readBy(path: string, read: (file: number) => Promise<void>): Promise<void>
  /** Makes the directory, or gives an existing one exactly this mode and owner. */
  makeDirectory(path: string, ownership: Ownership): Promise<void>
  /** Replaces file or link by a link owned by root. */
  makeLink(path: string, target: string): Promise<void>
  /** Moves within one file system; something at `to` is an error. */
  move(from: string, to: string): Promise<void>
  /** Each takes the other's place in one step, so that neither is missing at any moment: renameat2(2). */
  swap(one: string, other: string): Promise<void>
  /** By which one is known wherever it is moved; undefined when nothing is there. */
  inode(path: string): Promise<string | undefined>
  /** Takes away a file, a link or an empty directory; nothing there is fine. */
  remove(path: string): Promise<void>
  /** Takes away everything below a place, and the place. */
  removeTree(path: string, progress?: (removed: number) => void): Promise<void>
  /** Puts back what `look` saw. */
  putBack(path: string, entry: Entry): Promise<void>
}

export function createFiles(trust: Trust): Files {
  return {
    look: (path) => inParent(trust, path, (parent, name) => lookAt(parent, name), { type: 'absent' }),
    existsNow: (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined,
    list: async (path) => listDirectory(trust, path),
    readText: (path) => inParent(trust, path, readTextAt, undefined),
    writeFile: (path, content, ownership) =>
      inParent(trust, path, (parent, name) =>
        writeAt(parent, name, ownership, async (file) => writeFileSync(file, content)),
      ),
    writeBy: (path, ownership, write) =>
      inParent(trust, path, (parent, name) => writeAt(parent, name, ownership, write)),
    readBy: (path, read) => inParent(trust, path, (parent, name) => readOpenedAt(parent, name, read)),
    makeDirectory: (path, ownership) => inParent(trust, path, (parent, name) => directoryAt(parent, name, ownership)),
    makeLink: (path, target) => inParent(trust, path, (parent, name) => linkAt(parent, name, target)),
    move: (from, to) => move(trust, from, to),
    swap: (one, other) => swap(trust, one, other),
    inode: (path) => inParent(trust, path, inodeAt, undefined),
    remove: (path) => inParent(trust, path, removeAt, undefined),
    removeTree: (path, progress) => inParent(trust, path, (parent, name) => treeAt(parent, name, progress), undefined),
    putBack: (path, entry) => putBack(trust, path, entry),
  }
}

type InParent<R> = (parent: DirectoryFd, name: string) => R | Promise<R>

/** @param ifNoParent what to answer when a directory on the way is missing; without it that is an error. */
async function inParent<R>(trust: Trust, path: string, act: InParent<R>, ...ifNoParent: [R?]): Promise<R> {
  let parent: DirectoryFd
  try {
    parent = openTrusted(trust, dirname(path))
  } catch (error) {
    if (ifNoParent.length > 0 && errorCode(error) === 'ENOENT') return ifNoParent[0] as R // given, so an R
    throw error
  }
  try {
    return await act(parent, basename(path))
  } finally {
    closeSync(parent)
  }
}

function statAt(parent: DirectoryFd, name: string): Stats | undefined {
  return lstatSync(at(parent, name), { throwIfNoEntry: false })
}

/** The entry itself, without following a link. */
export function lookAt(parent: DirectoryFd, name: string): Entry {
  const found = statAt(parent, name)
  if (found === undefined) return { type: 'absent' }
  const ownership = { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid }
  if (found.isDirectory()) return { type: 'directory', ...ownership }
  if (found.isSymbolicLink()) return { type: 'link', target: readlinkSync(at(parent, name)) }
  if (!found.isFile() || found.size > readLimit) return { type: 'other' }
  return { type: 'file', ...ownership, base64: readAt(parent, name).toString('base64') }
}

function readTextAt(parent: DirectoryFd, name: string): string | undefined {
  if (statAt(parent, name) === undefined) return undefined
  return readAt(parent, name).toString('utf8')
}

/** O_NONBLOCK: a pipe put in place of a file must not stop the agent (C04). */
function readAt(parent: DirectoryFd, name: string): Buffer {
  const file = openSync(at(parent, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size > readLimit) {
      throw new WcpError('machine_failed', `Cannot read "${name}": not a small file`)
    }
    const buffer = Buffer.alloc(stats.size)
    return buffer.subarray(0, readSync(file, buffer, 0, stats.size, 0))
  } finally {
    closeSync(file)
  }
}

async function readOpenedAt(parent: DirectoryFd, name: string, read: Use): Promise<void> {
  const file = openSync(at(parent, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(file).isFile()) throw new WcpError('machine_failed', `Cannot read "${name}": not a file`)
    await read(file)
  } finally {
    closeSync(file)
  }
}

function listDirectory(trust: Trust, path: string): readonly string[] {
  try {
    const directory = openTrusted(trust, path)
    try {
      return readdirSync(`/proc/self/fd/${directory}`).sort()
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** The same for the same name, short enough for the longest host name, and ignored by every reader of our directories. */
function leftoverName(name: string): string {
  return `.new-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`
}

type Use = (file: number) => Promise<void>

async function writeAt(parent: DirectoryFd, name: string, own: Ownership, write: Use): Promise<void> {
  const fresh = at(parent, leftoverName(name))
  removeLeftover(fresh)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(fresh, flags, 0o600)
  try {
    await write(file)
    giveTo(file, own)
    await syncToDisk(file)
  } catch (error) {
    unlinkSync(fresh) // a full disk is not filled further
    throw error
  } finally {
    closeSync(file)
  }
  await swapIn(parent, fresh, name)
}

/** A file whose path is taken by a directory leaves nothing behind. */
async function swapIn(parent: DirectoryFd, fresh: string, name: string): Promise<void> {
  try {
    renameSync(fresh, at(parent, name))
  } catch (error) {
    unlinkSync(fresh)
    throw error
  }
  await syncToDisk(parent)
}

/** Owner first: chown(2) clears set-id bits. */
function giveTo(fd: number, { mode, uid, gid }: Ownership): void {
  fchownSync(fd, uid, gid)
  fchmodSync(fd, mode)
}

async function directoryAt(parent: DirectoryFd, name: string, ownership: Ownership): Promise<void> {
  if (statAt(parent, name) === undefined) mkdirSync(at(parent, name), 0o700)
  const directory = openBelow(parent, name)
  try {
    giveTo(directory, ownership)
    await syncToDisk(directory)
  } finally {
    closeSync(directory)
  }
  await syncToDisk(parent)
}

async function linkAt(parent: DirectoryFd, name: string, target: string): Promise<void> {
  const fresh = at(parent, leftoverName(name))
  removeLeftover(fresh)
  symlinkSync(target, fresh)
  await swapIn(parent, fresh, name)
}

async function move(trust: Trust, from: string, to: string): Promise<void> {
  const source = openTrusted(trust, dirname(from))
  try {
    const goal = openTrusted(trust, dirname(to))
    try {
      // rename(2) would replace an empty directory; both directories are root's own and root has one writer
      if (statAt(goal, basename(to)) !== undefined) {
        throw new WcpError('machine_failed', `Cannot move "${from}" to "${to}": something is there already`)
      }
      renameSync(at(source, basename(from)), at(goal, basename(to)))
      await syncToDisk(goal)
      await syncToDisk(source)
    } finally {
      closeSync(goal)
    }
  } finally {
    closeSync(source)
  }
}

const atCwd = -100
const renameExchange = 2

async function swap(trust: Trust, one: string, other: string): Promise<void> {
  await inParent(trust, one, (first, name) =>
    inParent(trust, other, async (second, otherName) => {
      const paths = [at(first, name), at(second, otherName)] as const
      if (libc().renameat2(atCwd, paths[0], atCwd, paths[1], renameExchange) !== 0)
        throw new WcpError('machine_failed', `Cannot swap "${one}" and "${other}": ${lastError()}`)
      await syncToDisk(first)
      await syncToDisk(second)
    }),
  )
}

function inodeAt(parent: DirectoryFd, name: string): string | undefined {
  const found = statAt(parent, name)
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

async function removeAt(parent: DirectoryFd, name: string): Promise<void> {
  removeLeftover(at(parent, leftoverName(name)))
  const found = statAt(parent, name)
  if (found?.isDirectory()) rmdirSync(at(parent, name))
  else if (found !== undefined) unlinkSync(at(parent, name))
  await syncToDisk(parent)
}

async function treeAt(parent: DirectoryFd, name: string, progress?: (removed: number) => void): Promise<void> {
  await removeTree(parent, name, progress)
  await syncToDisk(parent)
}

async function putBack(trust: Trust, path: string, entry: Entry): Promise<void> {
  const files = createFiles(trust)
  switch (entry.type) {
    case 'absent':
      return files.remove(path)
    case 'file':
      return files.writeFile(path, Buffer.from(entry.base64, 'base64'), entry)
    case 'directory':
      return files.makeDirectory(path, entry)
    case 'link':
      return files.makeLink(path, entry.target)
    case 'other':
      throw new WcpError('machine_failed', `Cannot put back "${path}": it was neither file, directory nor link`)
  }
}

function removeLeftover(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}
