/**
 * WP-CLI and a release of WordPress as an administrator would have them. A package of npm brings both; it is fetched once,
 * checked, and kept outside of this tree.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const source = 'wp-studio@1.22.0'
const integrity = 'boMtahkhgWDKKyNTBA1uTK5ghnAmxXhDY6KeQCO9FmcI3/o+YOSq8JwYW5ZYnxHCxH14Jf/mD6CJTBvTWl2Ytw=='
const version = '7.1.1'

export interface WordpressParts {
  readonly wpCli: string
  /** A release as wordpress.org packs it. */
  readonly wordpress: string
  readonly version: string
}

export function wordpressParts(): WordpressParts {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wcp360-tests')
  const place = join(cache, source)
  if (!existsSync(place)) fetchTo(cache, place)
  return { wpCli: join(place, 'wp-cli.phar'), wordpress: join(place, 'wordpress.tar.gz'), version }
}

function fetchTo(cache: string, place: string): void {
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'new-'))
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    run('npm', 'pack', '--silent', source)
    const archive = join(work, 'wp-studio-1.22.0.tgz')
    const found = createHash('sha512').update(readFileSync(archive)).digest('base64')
    if (found !== integrity) throw new Error(`${source} is not the one that was looked at: ${found}`)
    const inside = 'package/dist/cli/wp-files'
    run('tar', '-xzf', archive, `${inside}/wp-cli/wp-cli.phar`, `${inside}/latest/wordpress`)
    const made = join(work, 'made')
    mkdirSync(made)
    renameSync(join(work, inside, 'wp-cli/wp-cli.phar'), join(made, 'wp-cli.phar'))
    const names = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX']
    run('tar', '-czf', join(made, 'wordpress.tar.gz'), ...names, '-C', join(work, inside, 'latest'), 'wordpress')
    renameSync(made, place)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
