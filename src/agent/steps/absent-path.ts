import { entryStep } from './entry-step.ts'
import type { Step } from './step.ts'

/** Nothing is there: neither file, nor link, nor (empty) directory. */
export function absentPath(path: string): Step {
  return entryStep({
    name: `absence of ${path}`,
    path,
    differs: (found) => (found.type === 'absent' ? undefined : { action: 'remove', diff: null }),
    apply: ({ files }) => files.remove(path),
  })
}
