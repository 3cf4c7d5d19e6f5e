import { createHash } from 'node:crypto'
import { WcpError } from '../../contract/errors.ts'
import type { Entry, Files, Ownership } from '../os/files.ts'
import { ownershipDiffers } from './entry-step.ts'
import { type Step, step } from './step.ts'

export interface SecretFile extends Ownership {
  readonly path: string
  readonly text: string
  /** Where the former file is kept until it is put back, or until the next one takes its place: in a directory of root's alone. */
  readonly aside: string
}

/** The journal's record of a former file: enough to know it again. */
type Former =
  | { readonly type: 'absent' }
  | {
      readonly type: 'file'
      readonly sha256: string
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }

/**
 * A file whose content leaves root's directories for nobody's database, report or log, such as a private key: captured is
 * its digest, and the file itself is copied aside before another takes its place.
 */
export function secretFile(wanted: SecretFile): Step {
  return step<Former>({
    name: `secret file ${wanted.path}`,
    async check({ files }) {
      const found = await files.look(wanted.path)
      if (found.type === 'absent') return { action: 'create', diff: null }
      if (found.type !== 'file') return { action: 'change', diff: `a ${found.type} instead of a file` }
      if (digest(found) !== digestOf(Buffer.from(wanted.text))) return { action: 'change', diff: 'other content' }
      const said = ownershipDiffers(found, wanted)
      return said === undefined ? undefined : { action: 'change', diff: said }
    },
    async capture({ files }) {
      const found = await files.look(wanted.path)
      if (found.type === 'absent') return { type: 'absent' }
      if (found.type !== 'file')
        throw new WcpError('conflict', `Cannot replace "${wanted.path}": a ${found.type} is there`)
      const { mode, uid, gid } = found
      return { type: 'file', sha256: digest(found), mode, uid, gid }
    },
    async apply({ files }, before) {
      await keep(files, wanted, before)
      await files.writeFile(wanted.path, wanted.text, wanted)
    },
    async undo({ files }, before) {
      if (before.type === 'absent') await files.remove(wanted.path)
      else await putBack(files, wanted, before)
      await files.remove(wanted.aside)
    },
  })
}

/** While the former file is in its place; when it is not any more, it has been kept. */
async function keep(files: Files, { path, aside, ...own }: SecretFile, before: Former): Promise<void> {
  const found = await files.look(path)
  if (before.type === 'absent' || found.type !== 'file' || digest(found) !== before.sha256) return
  await files.writeFile(aside, content(found), { ...own, mode: 0o600 })
}

/** From aside; the second time it is at its place already. */
async function putBack(files: Files, { path, aside }: SecretFile, before: Former & { type: 'file' }): Promise<void> {
  for (const place of [path, aside]) {
    const found = await files.look(place)
    if (found.type !== 'file' || digest(found) !== before.sha256) continue
    if (place === aside || ownershipDiffers(found, before)) await files.writeFile(path, content(found), before)
    return
  }
  throw new WcpError('machine_failed', `Cannot put "${path}" back: what was kept of it is gone`)
}

type File = Extract<Entry, { type: 'file' }>

function content({ base64 }: File): Buffer {
  return Buffer.from(base64, 'base64')
}

function digest(file: File): string {
  return digestOf(content(file))
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
