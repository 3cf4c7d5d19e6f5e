import { execFileSync } from 'node:child_process'
import { packageVersion } from './assets-source.ts'
import { ingredients } from './build-ingredients.ts'

/** `0.1.0+g0123456789ab`, with `.changed` when the checkout differs from that commit; without git only `0.1.0`. */
export function buildVersion(root: string): string {
  const version = packageVersion(root)
  const commit = git(root, ['rev-parse', '--short=12', 'HEAD'])
  if (commit === undefined) return version
  const isChanged = git(root, ['status', '--porcelain', '--', ...ingredients]) !== ''
  return `${version}+g${commit}${isChanged ? '.changed' : ''}`
}

/** A checkout that belongs to somebody else (built by root for a user) is as good as an own one. */
function git(root: string, args: string[]): string | undefined {
  try {
    return execFileSync('git', ['-c', 'safe.directory=*', ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined // an unpacked archive, or no git: the version stands without a commit
  }
}
