import type { Ownership } from '../os/files.ts'
import { directory } from './directory.ts'
import { entryStep } from './entry-step.ts'
import type { Step } from './step.ts'

export interface ServedDirectory extends Ownership {
  readonly path: string
}

/**
 * A directory that its owner gives modes and groups as they like, as long as the web server can enter it: as one of the
 * group that it was made for, or as everybody may.
 */
export function servedDirectory(wanted: ServedDirectory): Step {
  const whole = directory(wanted)
  return entryStep({
    name: whole.name,
    path: wanted.path,
    differs(found) {
      if (found.type === 'absent') return { action: 'create', diff: null }
      if (found.type !== 'directory') return { action: 'change', diff: `a ${found.type} instead of a directory` }
      if (found.uid !== wanted.uid) return { action: 'change', diff: `uid ${found.uid} instead of ${wanted.uid}` }
      // A member of the group is judged by the group's bits alone: see path_resolution(7).
      const enter = found.gid === wanted.gid ? 0o010 : 0o001
      if ((found.mode & enter) !== 0) return undefined
      const mode = found.mode.toString(8).padStart(4, '0')
      return { action: 'change', diff: `mode ${mode}, gid ${found.gid}: the web server cannot enter it` }
    },
    apply: (machine) => whole.apply(machine, null), // it captures nothing of its own
  })
}
