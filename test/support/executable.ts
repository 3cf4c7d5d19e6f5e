/** The packed executable that is measured; built when it is not there, or older than what it is made of. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isOlderThanSources } from '../../src/tools/build-ingredients.ts'

export function executable(): string {
  const file = resolve('dist/wcpd')
  if (!existsSync(file) || isOlderThanSources(file, resolve('.'))) {
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
      stdio: ['ignore', process.stderr, process.stderr],
    })
    if (status !== 0) throw new Error('Cannot build dist/wcpd; "npm run build" says why')
  }
  return file
}
