/** The steps that are about one place in the file system: what was there is captured and put back, whatever it was. */
import { WcpError } from '../../contract/errors.ts'
import type { Entry, Ownership } from '../os/files.ts'
import type { Machine } from '../os/machine.ts'
import { type Difference, type Step, step } from './step.ts'

interface EntryStep {
  readonly name: string
  readonly path: string
  /** The difference of the entry; `undefined` when it is as wanted. */
  differs(found: Entry): Difference | undefined
  apply(machine: Machine): Promise<void>
}

export function entryStep({ name, path, differs, apply }: EntryStep): Step {
  return step<Entry>({
    name,
    check: async ({ files }) => differs(await files.look(path)),
    async capture({ files }) {
      const entry = await files.look(path)
      if (entry.type === 'other') throw new WcpError('conflict', `Cannot replace "${path}": it is nothing of ours`)
      return entry
    },
    apply,
    undo: ({ files }, before) => files.putBack(path, before),
  })
}

/** One sentence about mode and owner, or undefined when both are as wanted. */
export function ownershipDiffers(found: Ownership, wanted: Ownership): string | undefined {
  const said = [
    found.mode !== wanted.mode && `mode ${octal(found.mode)} instead of ${octal(wanted.mode)}`,
    found.uid !== wanted.uid && `uid ${found.uid} instead of ${wanted.uid}`,
    found.gid !== wanted.gid && `gid ${found.gid} instead of ${wanted.gid}`,
  ].filter((part) => part !== false)
  return said.length === 0 ? undefined : said.join(', ')
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
