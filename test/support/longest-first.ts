/** Order of test files: those that take minutes begin first, so that none of them runs alone at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of each group that runs its files side by side; size, by which the others are ordered, says nothing of their time. */
const longest = [
  ...['install-source.e2e.ts', 'matrix.test.ts', 'process.test.ts', 'asked-again.test.ts'],
  ...['site-certificates.test.ts', 'emergency.test.ts', 'run-as.test.ts'],
  ...['f09-web-server.test.ts', 'f20-reordered-jobs.test.ts', 'f08-damaged-store.test.ts'],
]

const takesMinutes = ({ moduleId }: TestSpecification) => longest.some((name) => moduleId.endsWith(`/${name}`))

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(takesMinutes), ...sorted.filter((file) => !takesMinutes(file))]
  }
}
