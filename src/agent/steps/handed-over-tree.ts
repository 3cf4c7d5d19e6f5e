import { WcpError } from '../../contract/errors.ts'
import type { Entry, Files, Ownership } from '../os/files.ts'
import { ownershipDiffers } from './entry-step.ts'
import { type Step, step } from './step.ts'

export interface HandedOverTree extends Ownership {
  readonly path: string
  /** Where it is built: root's own 0700 directory on the same file system, with a name that only this tree has. */
  readonly staging: string
  /** Owner while it is built. */
  readonly builder: { readonly uid: number; readonly gid: number }
  readonly children: readonly Child[]
}

/** `secret`: the text of a file, made when it is written and kept nowhere else. */
type Child = { readonly path: string } & Ownership & {
    readonly text?: string
    readonly secret?: (files: Files) => Promise<string>
  }

/**
 * A directory that belongs to a tenant, made complete where the tenant cannot reach it and handed over by one rename.
 *
 * From then on root never enters it again (B8): an existing one is the tenant's, and only its own mode and owner are
 * looked at. `children` are relative paths, parents first; those with `text` are files.
 */
export function handedOverTree(tree: HandedOverTree): Step {
  return step<Entry>({
    name: `directory ${tree.path} with its first files`,
    async check({ files }) {
      const found = await files.look(tree.path)
      if (found.type === 'absent') return { action: 'create', diff: null }
      if (found.type !== 'directory') return { action: 'change', diff: `a ${found.type} instead of a directory` }
      const said = ownershipDiffers(found, tree)
      return said === undefined ? undefined : { action: 'change', diff: said }
    },
    capture: ({ files }) => files.look(tree.path),
    async apply({ files }) {
      const { type } = await files.look(tree.path)
      if (type === 'absent') return build(files, tree)
      if (type !== 'directory') {
        throw new WcpError('conflict', `Cannot make directory "${tree.path}": a ${type} is in its place`)
      }
      await files.makeDirectory(tree.path, tree)
    },
    async undo({ files }, before) {
      if (before.type !== 'absent') return files.putBack(tree.path, before)
      await files.removeTree(tree.staging)
      if ((await files.look(tree.path)).type !== 'absent') await files.move(tree.path, tree.staging)
      await files.removeTree(tree.staging)
    },
  })
}

/** The tree's root keeps root's ownership until it is complete, so that every parent on the way is one to trust. */
async function build(files: Files, tree: HandedOverTree): Promise<void> {
  await files.removeTree(tree.staging)
  const own = { mode: 0o700, ...tree.builder }
  await files.makeDirectory(tree.staging, own)
  for (const { path, text, secret, ...ownership } of tree.children) {
    const place = `${tree.staging}/${path}`
    const content = secret === undefined ? text : await secret(files)
    if (content === undefined) await files.makeDirectory(place, own)
    else await files.writeFile(place, content, ownership)
  }
  // deepest first: once a directory is the tenant's, nothing is written below it any more
  for (const { path, text, secret, ...ownership } of tree.children.toReversed()) {
    if (text === undefined && secret === undefined) await files.makeDirectory(`${tree.staging}/${path}`, ownership)
  }
  await files.makeDirectory(tree.staging, tree)
  await files.move(tree.staging, tree.path)
}
