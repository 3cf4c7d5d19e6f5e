import { WcpError } from '../../contract/errors.ts'
import { type Step, step } from './step.ts'

export interface SwappedDirectory {
  readonly path: string
  /** What takes its place; nothing is there afterwards. */
  readonly fresh: string
  /** Where the former one is kept, on the same file system. */
  readonly aside: string
}

type Fresh = { readonly inode: string | null }

/**
 * A directory has been replaced by another one in one moment: whoever opens the path finds the former or the new one, and
 * never none. Both lie in directories of root's; neither is entered.
 */
export function swappedDirectory({ path, fresh, aside }: SwappedDirectory): Step {
  return step<Fresh>({
    name: `new content of ${path}`,
    async check({ files }) {
      return files.existsNow(aside) ? undefined : { action: 'change', diff: null }
    },
    async capture({ files }) {
      return { inode: (await files.inode(fresh)) ?? null }
    },
    async apply({ files }, { inode }) {
      if (inode === null) throw new WcpError('machine_failed', `Cannot use "${fresh}": nothing is there`)
      if ((await files.inode(path)) !== inode) await files.swap(path, fresh)
      await files.move(fresh, aside)
    },
    async undo({ files }, { inode }) {
      if (files.existsNow(aside)) await files.move(aside, fresh)
      if (inode !== null && (await files.inode(path)) === inode) await files.swap(path, fresh)
    },
  })
}
