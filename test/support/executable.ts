/** The packed executable that is measured; built when it is not there, or older than what it is made of. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isOlderThanSources } from '../../src/tools/build-ingredients.ts'

const file = resolve('dist/wcpd')

export const isFresh = () => existsSync(file) && !isOlderThanSources(file, resolve('.'))

/** Of test files that want it at the same time one builds, and the others wait for it (flock(1)). */
export function executable(): string {
  if (!isFresh()) {
    const argv = [
      '--close',
      resolve('package.json'),
      process.execPath,
      join(import.meta.dirname, 'build-unless-fresh.ts'),
    ]
    const { status } = spawnSync('flock', argv, { stdio: ['ignore', process.stderr, process.stderr] })
    if (status !== 0) throw new Error('Cannot build dist/wcpd; "npm run build" says why')
  }
  return file
}
