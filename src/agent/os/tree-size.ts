/**
 * How much a tree occupies that a tenant made, measured by root: every name is resolved below an open directory, no link is
 * followed, no file is opened, no other file system is entered, and neither depth nor number of names takes more than a bound.
 */
import { closeSync, type Dir, fstatSync, lstatSync, opendirSync, openSync, type Stats } from 'node:fs'
import { errorCode } from './error-code.ts'
import { asDirectory, type DirectoryFd, openTrusted, type Trust } from './walk.ts'

export interface TreeSize {
  readonly bytes: number
  /** False: it is at least so much; time or depth was used up. */
  readonly isWhole: boolean
}

export interface Walk {
  /** Awaited now and then. */
  rest(): Promise<void>
  mayGoOn(): boolean
}

/** Two descriptors a level. */
const deepest = 200
const betweenRests = 32
const blockBytes = 512

interface Level {
  readonly directory: DirectoryFd
  readonly names: Dir
}

/** @param path of a directory that root alone made; without it the size is 0 */
export async function treeSize(trust: Trust, path: string, { rest, mayGoOn }: Walk): Promise<TreeSize> {
  const top = orMissing(() => openTrusted(trust, path))
  if (top === undefined) return { bytes: 0, isWhole: true }
  const found = fstatSync(top)
  let bytes = occupied(found)
  let isWhole = true
  let seen = 0
  const levels: Level[] = [levelOf(top)]
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (++seen % betweenRests === 0) await rest()
      if (!mayGoOn()) return { bytes: Math.round(bytes), isWhole: false }
      const entry = level.names.readSync()
      if (entry === null) {
        close(levels.pop())
        continue
      }
      const place = below(level.directory, entry.name)
      const stat = orMissing(() => lstatSync(place))
      if (stat === undefined || stat.dev !== found.dev) continue
      bytes += occupied(stat)
      if (!stat.isDirectory()) continue
      const child = levels.length < deepest ? orMissing(() => openSync(place, asDirectory)) : undefined
      if (levels.length >= deepest) isWhole = false
      if (child === undefined) continue
      if (fstatSync(child).dev === found.dev) levels.push(levelOf(child))
      else closeSync(child) // mounted over since
    }
  } finally {
    for (const level of levels) close(level)
  }
  return { bytes: Math.round(bytes), isWhole }
}

/** Of a file with several names each bears its part: no list of those seen is kept. */
function occupied(stat: Stats): number {
  const names = stat.isDirectory() ? 1 : Math.max(1, stat.nlink)
  return (stat.blocks * blockBytes) / names
}

/** Names are bytes, and need not be text: Latin-1 holds every one. */
function levelOf(directory: DirectoryFd): Level {
  return { directory, names: opendirSync(`/proc/self/fd/${directory}`, { encoding: 'latin1' }) }
}

function below(directory: DirectoryFd, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), Buffer.from(name, 'latin1')])
}

function close(level: Level | undefined): void {
  level?.names.closeSync()
  if (level !== undefined) closeSync(level.directory)
}

/** Gone, or another thing in its place, since its name was read. */
function orMissing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
