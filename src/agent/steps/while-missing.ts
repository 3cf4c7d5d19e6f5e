import type { Step } from './step.ts'

/**
 * A fact on the way to another one: it holds as soon as that is there, and nobody looks at it any more. So a job that
 * is resumed after its goal does not begin its way anew.
 */
export function whileMissing(goal: string, way: Step): Step {
  return {
    ...way,
    async check(machine) {
      return machine.files.existsNow(goal) ? undefined : way.check(machine)
    },
  }
}
