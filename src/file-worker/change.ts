/** Directories made, and things moved, below the site. */
import { lstat, mkdir, rename } from 'node:fs/promises'
import type { FileEntry } from '../contract/file-wire.ts'
import { entryOf } from './entry.ts'
import { at, atPlace, type Place } from './place.ts'
import { refused, refusedByKernel } from './refusal.ts'

export function makeDirectory(root: string, path: string): Promise<FileEntry> {
  return atPlace(root, path, async (place) => {
    await mkdir(at(place.directory, place.name), 0o755).catch(refusedByKernel('make', path))
    return await entryOf(place, path)
  })
}

export function move(root: string, { path, to }: { readonly path: string; readonly to: string }): Promise<FileEntry> {
  return atPlace(root, path, (from) =>
    atPlace(root, to, async (place) => {
      await moveTo(from, place, to)
      return await entryOf(place, to)
    }),
  )
}

/**
 * Node has no renameat2(RENAME_NOREPLACE): what appears under the name in the moment after the look is replaced if it is a file,
 * by the tenant's own doing.
 */
export async function moveTo(from: Place, to: Place, path: string): Promise<void> {
  const target = at(to.directory, to.name)
  if (
    await lstat(target).then(
      () => true,
      () => false,
    )
  )
    throw refused('conflict', `move it to "${path.slice(0, 300)}": something is there already`)
  await rename(at(from.directory, from.name), target).catch(refusedByKernel('move', path))
}
