import { WcpError } from '../../contract/errors.ts'
import type { Files } from '../os/files.ts'
import { type Step, step } from './step.ts'

export interface MovedPath {
  readonly from: string
  readonly to: string
  /** The meaning of nothing at either place. */
  readonly ifMissing: 'fail' | 'nothing to move'
}

/** A file or a whole tree is at its new place and no longer at its old one; one rename, so never at both. */
export function movedPath({ from, to, ifMissing }: MovedPath): Step {
  return step<Place>({
    name: `move of ${from} to ${to}`,
    async check({ files }) {
      const place = await whereIsIt(files, from, to)
      if (place === 'new' || (place === 'nowhere' && ifMissing === 'nothing to move')) return undefined
      return { action: 'change', diff: place === 'nowhere' ? 'nothing is at either place' : null }
    },
    capture: ({ files }) => whereIsIt(files, from, to),
    async apply({ files }) {
      const place = await whereIsIt(files, from, to)
      if (place === 'new') return
      if (place === 'nowhere') throw new WcpError('machine_failed', `Cannot move "${from}": it does not exist`)
      await files.move(from, to)
    },
    async undo({ files }, before) {
      if (before === 'old' && (await whereIsIt(files, from, to)) === 'new') await files.move(to, from)
    },
  })
}

type Place = 'old' | 'new' | 'nowhere'

async function whereIsIt(files: Files, from: string, to: string): Promise<Place> {
  const isOld = (await files.look(from)).type !== 'absent'
  const isNew = (await files.look(to)).type !== 'absent'
  if (isOld && isNew) throw new WcpError('conflict', `Cannot move "${from}" to "${to}": both exist`)
  return isOld ? 'old' : isNew ? 'new' : 'nowhere'
}
