/**
 * Files outside of tenants whose whole text is this program's. One that somebody else has changed is not overwritten without a
 * word: what it held is kept beside, for root alone, and told as drift for as long as that copy lies there.
 */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { Entry } from './os/files.ts'
import type { Machine } from './os/machine.ts'

type Ground = Pick<Machine, 'files' | 'places' | 'now'>

/** Of one file. */
const mostKept = 10
const own = { mode: 0o600, uid: 0, gid: 0 }

/** Before the file is written. @returns where its text is kept; undefined where it is ours, or there is none */
export async function keepForeignText({ files, places, now }: Ground, path: string): Promise<string | undefined> {
  const found = await files.look(path)
  const text = textOf(found)
  if (text === undefined) return undefined
  if (digest(text) === (await files.readText(recordOf(places, path)))) return undefined
  const before = await keptTexts({ files, places }, path)
  const last = before.at(-1)
  if (last !== undefined && (await files.readText(last)) === text) return last
  await files.makeDirectory(places.replaced, { ...own, mode: 0o700 })
  const kept = join(places.replaced, `${basename(path)}.${now().toISOString().replaceAll(/[:.]/g, '-')}`)
  await files.writeFile(kept, text, own)
  for (const old of [...before, kept].slice(0, -mostKept)) await files.remove(old)
  return kept
}

/** After the file was written and is in force. */
export async function noteOwnText({ files, places }: Omit<Ground, 'now'>, path: string, text: string): Promise<void> {
  const record = recordOf(places, path)
  if ((await files.readText(record)) === digest(text)) return
  await files.makeDirectory(places.written, { ...own, mode: 0o700 })
  await files.writeFile(record, digest(text), own)
}

/** Texts that were replaced and that nobody has taken away since. */
export async function keptTexts({ files, places }: Omit<Ground, 'now'>, path: string): Promise<readonly string[]> {
  const all = await files.list(places.replaced)
  return all.filter((one) => one.startsWith(`${basename(path)}.`)).map((one) => join(places.replaced, one))
}

function recordOf({ written }: Machine['places'], path: string): string {
  return join(written, basename(path))
}

function textOf(found: Entry): string | undefined {
  if (found.type === 'file') return Buffer.from(found.base64, 'base64').toString('utf8')
  return found.type === 'link' ? `a link to ${found.target}\n` : undefined
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
