import { type Step, step } from './step.ts'

/**
 * Nothing is left of a tree, for good: the only step that cannot be undone, so it comes last, and only in the trash,
 * where no tenant can reach what is being removed.
 */
export function purgedTree(path: string): Step {
  return step<null>({
    name: `purge of ${path}`,
    async check({ files }) {
      return (await files.look(path)).type === 'absent' ? undefined : { action: 'remove', diff: 'for good' }
    },
    capture: async () => null,
    apply: ({ files }) => files.removeTree(path),
    async undo() {},
  })
}
