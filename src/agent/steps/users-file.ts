import { entryStep, ownershipDiffers } from './entry-step.ts'
import type { Difference, Step } from './step.ts'
import type { TextFile } from './text-file.ts'

/** A text file whose lines stand in no plan and no report: they hold what passwords are verified by. */
export function usersFile(wanted: TextFile): Step {
  const bytes = Buffer.from(wanted.text).toString('base64')
  return entryStep({
    name: `users in ${wanted.path}`,
    path: wanted.path,
    differs(found): Difference | undefined {
      if (found.type === 'absent') return { action: 'create', diff: null }
      if (found.type !== 'file') return { action: 'change', diff: `a ${found.type} instead of a file` }
      if (found.base64 !== bytes) return { action: 'change', diff: 'other users or passwords' }
      const said = ownershipDiffers(found, wanted)
      return said === undefined ? undefined : { action: 'change', diff: said }
    },
    apply: ({ files }) => files.writeFile(wanted.path, wanted.text, wanted),
  })
}
