/**
 * A file from bytes that come. They go into a file of their own in the same directory, which takes the place of the old one in one
 * step when it is whole: whoever opens the name sees the old bytes or the new ones.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, rename, unlink } from 'node:fs/promises'
import type { FileEntry, Over } from '../contract/file-wire.ts'
import { entryOf, entryOfOpen } from './entry.ts'
import { at, atPlace, openBelow, type Place } from './place.ts'
import { Refusal, refused, refusedByKernel } from './refusal.ts'

const fresh = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const usualMode = 0o644

/** @param bytes to their end, also when the file cannot be made */
export function write(
  root: string,
  { path, over }: { readonly path: string; readonly over: Over },
  bytes: AsyncIterable<Buffer>,
): Promise<FileEntry> {
  return atPlace(root, path, async (place) => {
    const old = await demandFitting(place, path, over)
    const beside = Buffer.from(`.wcp-upload-${randomBytes(8).toString('hex')}`)
    const file = await openBelow(place.directory, beside, fresh, usualMode).catch(refusedByKernel('write', path))
    try {
      for await (const piece of bytes) await writeAll(file, piece).catch(refusedByKernel('write', path))
      if (old !== undefined) await file.chmod(Number.parseInt(old.mode, 8) & 0o777)
      await file.sync()
      await demandFitting(place, path, over)
      await putInPlace(place, beside, over, path)
      return await entryOfOpen(file, place.name)
    } finally {
      await file.close()
      await unlink(at(place.directory, beside)).catch(() => {}) // it has taken its place
    }
  })
}

/** @returns what is there */
async function demandFitting(place: Place, path: string, over: Over): Promise<FileEntry | undefined> {
  const found = await entryOf(place, path).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'not_found') return undefined
    throw error
  })
  const shown = path.slice(0, 300)
  if (found !== undefined && found.kind !== 'file')
    throw refused('conflict', `write "${shown}": something else is there`)
  if (over === 'nothing' && found !== undefined) throw refused('conflict', `write "${shown}": it is there already`)
  if (typeof over === 'object' && found?.tag !== over.tag)
    throw refused('precondition_failed', `write "${shown}": it was changed after you read it`)
  return found
}

/** A link is made under a free name only, so of two who make the same file one is refused. */
async function putInPlace({ directory, name }: Place, beside: Buffer, over: Over, path: string): Promise<void> {
  const [from, to] = [at(directory, beside), at(directory, name)]
  await (over === 'nothing' ? link(from, to) : rename(from, to)).catch(refusedByKernel('write', path))
}

async function writeAll(file: FileHandle, piece: Buffer): Promise<void> {
  for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten
}
