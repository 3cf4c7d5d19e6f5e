/** A thing of a directory as the panel shows it. */
import type { BigIntStats } from 'node:fs'
import { type FileHandle, lstat, readlink } from 'node:fs/promises'
import { encodeName } from '../contract/file-path.ts'
import type { FileEntry } from '../contract/file-wire.ts'
import { at, type Place } from './place.ts'
import { refusedByKernel } from './refusal.ts'

const longestTarget = 1000

export async function entryOf({ directory, name }: Place, path: string): Promise<FileEntry> {
  const found = await lstat(at(directory, name), { bigint: true }).catch(refusedByKernel('look at', path))
  return entryFrom(name, found, await targetOf({ directory, name }, found))
}

/** Of an open file. */
export async function entryOfOpen(file: FileHandle, name: Buffer): Promise<FileEntry> {
  return entryFrom(name, await file.stat({ bigint: true }), null)
}

function entryFrom(name: Buffer, found: BigIntStats, target: string | null): FileEntry {
  return {
    name: encodeName(name),
    kind: kindOf(found),
    size: Number(found.size),
    mode: (found.mode & 0o7777n).toString(8).padStart(3, '0'),
    modifiedAt: new Date(clamped(Number(found.mtimeMs))).toISOString(),
    tag: [found.ino, found.size, found.mtimeNs, found.ctimeNs].map((part) => part.toString(16)).join('-'),
    target,
  }
}

function kindOf(found: BigIntStats): FileEntry['kind'] {
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'directory'
  return found.isSymbolicLink() ? 'link' : 'other'
}

async function targetOf({ directory, name }: Place, found: BigIntStats): Promise<string | null> {
  if (!found.isSymbolicLink()) return null
  const target = await readlink(at(directory, name), { encoding: 'buffer' }).catch(() => Buffer.alloc(0))
  return encodeTarget(target).slice(0, longestTarget)
}

function encodeTarget(target: Buffer): string {
  const parts = target.toString('latin1').split('/')
  return parts.map((part) => encodeName(Buffer.from(part, 'latin1'))).join('/')
}

/** What a tenant's file says of its time may be anything: within the years that have four digits. */
function clamped(ms: number): number {
  return Math.min(Math.max(ms, 0), 253_402_300_799_999)
}
