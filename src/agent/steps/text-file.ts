import type { Entry, Ownership } from '../os/files.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { entryStep, ownershipDiffers } from './entry-step.ts'
import type { Difference, Step } from './step.ts'

export interface TextFile extends Ownership {
  readonly path: string
  readonly text: string
}

/** A file with exactly this text, mode and owner. */
export function textFile(wanted: TextFile): Step {
  return entryStep({
    name: `file ${wanted.path}`,
    path: wanted.path,
    differs: (found) => differs(found, wanted),
    apply: ({ files }) => files.writeFile(wanted.path, wanted.text, wanted),
  })
}

function differs(found: Entry, wanted: TextFile): Difference | undefined {
  if (found.type === 'absent') return { action: 'create', diff: unifiedDiff(wanted.path, undefined, wanted.text) }
  if (found.type !== 'file') return { action: 'change', diff: `a ${found.type} instead of a file` }
  const text = Buffer.from(found.base64, 'base64').toString('utf8')
  if (text !== wanted.text) return { action: 'change', diff: unifiedDiff(wanted.path, text, wanted.text) }
  const said = ownershipDiffers(found, wanted)
  return said === undefined ? undefined : { action: 'change', diff: said }
}
