/**
 * Texts of managed files that somebody else wrote and an operator took over. One stays in force until this program would
 * write something else than it did then; owner, mode and place of the file are never adopted.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { WcpError } from '../contract/errors.ts'
import type { Change } from '../contract/wire.ts'
import type { Entry, Files } from './os/files.ts'
import { ownershipDiffers } from './steps/entry-step.ts'
import type { TextFile } from './steps/text-file.ts'
import { unifiedDiff } from './unified-diff.ts'

/** A file whose text can be adopted. */
export interface AdoptableFile extends TextFile {
  /** Place of the record, root 0600. */
  readonly record: string
}

const Adopted = z.strictObject({
  /** SHA-256 of our text that it took the place of. */
  over: z.string(),
  by: z.string(),
  at: z.string(),
  text: z.string(),
})
export type Adopted = z.infer<typeof Adopted>

type Ground = { readonly files: Pick<Files, 'look' | 'readText'> }

/** In the journal and in the record of each. */
const longestText = 64 * 1024

/** What is in force instead of our text; a record that cannot be read is none. */
export async function adoptedText({ files }: Ground, { record, text }: AdoptableFile): Promise<Adopted | undefined> {
  const written = await files.readText(record)
  const found = written === undefined ? undefined : parsed(written)
  return found?.over === digest(text) ? found : undefined
}

/** The text that the file has now, to be adopted in place of ours. Throws when it is not to be. */
export async function textToAdopt({ files }: Ground, file: AdoptableFile): Promise<string> {
  const found = await files.look(file.path)
  const refuse = (why: string, help: string) =>
    new WcpError('conflict', `Cannot adopt "${file.path}": ${why}`, { help })
  if (found.type !== 'file') throw refuse(`it is ${found.type === 'absent' ? 'not there' : 'no file'}`, putBack)
  const said = ownershipDiffers(found, file)
  if (said !== undefined)
    throw refuse(said, 'Owner and mode are never adopted: set them right, and adopt the text then.')
  const text = textOf(found)
  if (text === undefined) throw refuse('it is no text of at most 64 KiB', putBack)
  if (text === file.text) throw refuse('it is as the panel writes it', 'There is nothing to adopt.')
  return text
}

export function recordText({ text: ours }: AdoptableFile, { by, at, text }: Omit<Adopted, 'over'>): string {
  return `${JSON.stringify({ over: digest(ours), by, at, text } satisfies Adopted, null, 2)}\n`
}

/** As the look for drift tells of it. */
export async function adoptionsOf(ground: Ground, file: AdoptableFile): Promise<Change[]> {
  const adopted = await adoptedText(ground, file)
  if (adopted === undefined) return []
  const step = `file ${file.path}: adopted by ${adopted.by} at ${adopted.at}, until the panel writes it anew`
  return [{ step, action: 'adopt', diff: unifiedDiff(file.path, file.text, adopted.text) }]
}

const putBack = 'Put it back instead.'

function textOf({ base64 }: Extract<Entry, { type: 'file' }>): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  const text = bytes.toString('utf8')
  return bytes.length <= longestText && Buffer.from(text).equals(bytes) ? text : undefined
}

function parsed(text: string): Adopted | undefined {
  try {
    return Adopted.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
