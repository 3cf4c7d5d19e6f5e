/** `dist/wcpd` of this tree: built by the first of all test files and processes that wants it. */
import { execFileSync } from 'node:child_process'
import { exclusively } from './harness/lock.ts'
import { makePlaces } from './harness/places.ts'

/** Inherited by the workers of vitest, whose global setup this file is. */
const built = 'WCP_TESTS_HAVE_BUILT'

export async function buildOnce(): Promise<void> {
  if (process.env[built] === 'yes') return
  makePlaces()
  // Two that build at once would write into each other's files.
  await exclusively('build', 600_000, async () => {
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'pipe'] })
  })
  process.env[built] = 'yes'
}

/** The name by which vitest calls a global setup. */
export { buildOnce as setup }
