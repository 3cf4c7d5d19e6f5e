/** The packed executable that is measured; built when it is not there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

export function executable(): string {
  const file = resolve('dist/wcpd')
  if (!existsSync(file)) {
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
      stdio: ['ignore', process.stderr, process.stderr],
    })
    if (status !== 0) throw new Error('Cannot build dist/wcpd; "npm run build" says why')
  }
  return file
}
