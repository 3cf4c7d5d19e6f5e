/**
 * What was deleted, in the tenant's own home: a directory for each thing, which holds it under its name, and the path at which it
 * was. It is on the same file system as the sites, so deleting is one rename, however much it is.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { FilePath, splitPath } from '../contract/file-path.ts'
import { type FileEntry, type FileTrash, mostInTrash, TrashName } from '../contract/file-wire.ts'
import { moveTo } from './change.ts'
import { entryOf } from './entry.ts'
import { at, atPlace, inDirectory, openBelow } from './place.ts'
import { refused, refusedByKernel } from './refusal.ts'

const thing = Buffer.from('thing')
const pathFile = Buffer.from('path')
const keptMs = 30 * 86_400_000

/** Where paths begin, and where the trash of that site is. */
export interface Roots {
  readonly root: string
  readonly trash: string
}

export function moveToTrash({ root, trash }: Roots, path: string): Promise<TrashName> {
  return atPlace(root, path, async (from) => {
    await lstat(at(from.directory, from.name)).catch(refusedByKernel('delete', path))
    await mkdir(trash, { recursive: true, mode: 0o700 }).catch(refusedByKernel('delete', path))
    return await inDirectory(trash, '', async (directory) => {
      await forgetOld(directory)
      const name = `${Date.now()}-${randomBytes(4).toString('hex')}`
      await mkdir(at(directory, Buffer.from(name)), 0o700).catch(refusedByKernel('delete', path))
      return await inDirectory(trash, name, async (own) => {
        await writeFile(at(own, pathFile), path, { flag: 'wx', mode: 0o600 }).catch(refusedByKernel('delete', path))
        await rename(at(from.directory, from.name), at(own, thing)).catch(refusedByKernel('delete', path))
        return name
      })
    })
  })
}

export async function listTrash({ trash }: Roots): Promise<FileTrash> {
  const isThere = await lstat(trash).then(
    () => true,
    () => false,
  )
  if (!isThere) return []
  return await inDirectory(trash, '', async (directory) => {
    const names = (await namesIn(directory)).toReversed().slice(0, mostInTrash)
    const found = []
    for (const name of names) {
      const path = await pathOf(trash, name).catch(() => undefined) // half deleted
      if (path !== undefined) found.push({ name, path, deletedAt: new Date(momentOf(name)).toISOString() })
    }
    return found
  })
}

export async function restore({ root, trash }: Roots, name: TrashName): Promise<FileEntry> {
  const path = await pathOf(trash, name)
  if (path === undefined) throw refused('not_found', `restore "${name}": it is not in the trash`)
  return await atPlace(root, path, (to) =>
    inDirectory(trash, name, async (own) => {
      await moveTo({ directory: own, name: thing }, to, path)
      await rm(`${trash}/${name}`, { recursive: true, force: true })
      return await entryOf(to, path)
    }),
  )
}

/** What has lain there for its days is removed for good, by the deletions that come after. */
async function forgetOld(directory: FileHandle): Promise<void> {
  const old = (await namesIn(directory)).filter((name) => momentOf(name) < Date.now() - keptMs)
  for (const name of old.slice(0, 20))
    await rm(at(directory, Buffer.from(name)).toString(), { recursive: true, force: true })
}

async function namesIn(directory: FileHandle): Promise<TrashName[]> {
  const all = await readdir(at(directory, Buffer.from('.')))
  return all.filter((name) => TrashName.safeParse(name).success).toSorted()
}

function momentOf(name: TrashName): number {
  return Number(name.slice(0, 13))
}

async function pathOf(trash: string, name: TrashName): Promise<string | undefined> {
  return await inDirectory(trash, name, async (own) => {
    const file = await openBelow(own, pathFile, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const path = FilePath.safeParse(await readFile(file, 'utf8')).data
      return path === undefined || splitPath(path).name === '' ? undefined : path
    } finally {
      await file.close()
    }
  })
}
