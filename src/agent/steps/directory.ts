import { WcpError } from '../../contract/errors.ts'
import type { Ownership } from '../os/files.ts'
import { entryStep, ownershipDiffers } from './entry-step.ts'
import type { Step } from './step.ts'

export interface Directory extends Ownership {
  readonly path: string
}

/** A directory with exactly this mode and owner; what is in it is nobody's business here. */
export function directory(wanted: Directory): Step {
  return entryStep({
    name: `directory ${wanted.path}`,
    path: wanted.path,
    differs(found) {
      if (found.type === 'absent') return { action: 'create', diff: null }
      if (found.type !== 'directory') return { action: 'change', diff: `a ${found.type} instead of a directory` }
      const said = ownershipDiffers(found, wanted)
      return said === undefined ? undefined : { action: 'change', diff: said }
    },
    async apply({ files }) {
      const { type } = await files.look(wanted.path)
      if (type !== 'absent' && type !== 'directory') {
        throw new WcpError('conflict', `Cannot make directory "${wanted.path}": a ${type} is in its place`)
      }
      await files.makeDirectory(wanted.path, wanted)
    },
  })
}
