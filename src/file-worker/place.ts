/**
 * A name below an open directory. Node has no openat(2); `/proc/self/fd/<fd>/<name>` resolves one name below an open directory
 * just the same (proc(5)), and nothing on the way to it can be swapped meanwhile.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { namesOf } from '../contract/file-path.ts'
import { refused, refusedByKernel } from './refusal.ts'

const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

export interface Place {
  /** Open as long as the work on the place lasts. */
  readonly directory: FileHandle
  readonly name: Buffer
}

/** Path of a name below an open directory, for one system call. */
export function at({ fd }: Pick<FileHandle, 'fd'>, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name])
}

export function openBelow(directory: FileHandle, name: Uint8Array, flags: number, mode?: number): Promise<FileHandle> {
  return open(at(directory, name) as unknown as string, flags, mode) // Node takes bytes here, its types do not
}

/** Opens the directory at `path` for the time of `work`. */
export async function inDirectory<T>(
  root: string,
  path: string,
  work: (directory: FileHandle) => Promise<T>,
): Promise<T> {
  const directory = await openPath(root, named(path), path)
  try {
    return await work(directory)
  } finally {
    await directory.close()
  }
}

/** The thing at `path`, which need not be there, with its directory open for the time of `work`. */
export async function atPlace<T>(root: string, path: string, work: (place: Place) => Promise<T>): Promise<T> {
  const names = named(path)
  const name = names.at(-1)
  if (name === undefined) throw refused('bad_input', 'use the directory of the site itself')
  const directory = await openPath(root, names.slice(0, -1), path)
  try {
    return await work({ directory, name })
  } finally {
    await directory.close()
  }
}

async function openPath(root: string, names: readonly Buffer[], path: string): Promise<FileHandle> {
  let directory = await open(root, asDirectory).catch(refusedByKernel('open', path))
  for (const name of names) {
    try {
      const next = await openBelow(directory, name, asDirectory)
      await directory.close()
      directory = next
    } catch (error) {
      await directory.close()
      throw refusedByKernel('open', path)(error)
    }
  }
  return directory
}

function named(path: string): readonly Buffer[] {
  const names = namesOf(path)
  if (names === undefined) throw refused('bad_input', 'use a path that is none')
  return names
}
