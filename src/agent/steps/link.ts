import { WcpError } from '../../contract/errors.ts'
import { entryStep } from './entry-step.ts'
import type { Step } from './step.ts'

/** A symbolic link to exactly this target, swapped in atomically. */
export function link(wanted: { readonly path: string; readonly target: string }): Step {
  return entryStep({
    name: `link ${wanted.path}`,
    path: wanted.path,
    differs(found) {
      if (found.type === 'absent') return { action: 'create', diff: `to ${wanted.target}` }
      if (found.type !== 'link') return { action: 'change', diff: `a ${found.type} instead of a link` }
      if (found.target === wanted.target) return undefined
      return { action: 'change', diff: `to ${found.target} instead of ${wanted.target}` }
    },
    async apply({ files }) {
      const { type } = await files.look(wanted.path)
      if (type === 'directory') {
        throw new WcpError('conflict', `Cannot make link "${wanted.path}": a directory is in its place`)
      }
      await files.makeLink(wanted.path, wanted.target)
    },
  })
}
