// Debian's DokuWiki as upstream ships it: one directory of plain files that can be copied anywhere.
// Debian spreads it over /usr/share, /etc and /var/lib, joined by links and absolute paths; this puts it together again.

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** `unpacked` holds the unpacked packages and is used up; `target` must not exist. */
export function assembleDokuwiki(unpacked: string, target: string): void {
  const share = join(unpacked, 'usr/share')
  resolveLinks(share, unpacked)
  cpSync(join(share, 'dokuwiki'), target, { recursive: true })
  cpSync(join(unpacked, 'var/lib/dokuwiki/data'), join(target, 'data'), { recursive: true })
  cpSync(join(unpacked, 'etc/dokuwiki'), join(target, 'conf'), { recursive: true })
  for (const library of ['php', 'php-geshi', 'javascript']) {
    if (existsSync(join(share, library)))
      cpSync(join(share, library), join(target, 'vendor/debian', library), { recursive: true })
  }
  rmSync(join(target, 'inc/preload.php'), { force: true }) // only there to point to /etc and /var/lib
  removeLinks(target)
  mkdirSync(join(target, 'lib/scripts/jquery'), { recursive: true })
  relocate(target)
  writeFileSync(join(target, 'lib/scripts/jquery/versions'), 'JQ_VERSION=3\nJUI_VERSION=1\n') // read on every page, left out by Debian
  chmodSync(join(target, 'data'), 0o755)
  check(target)
}

/** Puts the thing itself in the place of every link whose target is among the packages. */
function resolveLinks(directory: string, root: string): void {
  for (const path of linksIn(directory)) {
    const aim = readlinkSync(path)
    const target = aim.startsWith('/') ? join(root, aim) : join(dirname(path), aim)
    if (!existsSync(target)) continue
    if (lstatSync(target).isDirectory()) resolveLinks(target, root)
    rmSync(path)
    cpSync(target, path, { recursive: true })
  }
}

/** What still is a link leads to files that the package's own installation would have written. */
function removeLinks(directory: string): void {
  for (const path of linksIn(directory)) rmSync(path)
}

function relocate(target: string): void {
  for (const path of filesIn(target).filter((name) => name.endsWith('.php'))) {
    const before = readFileSync(path, 'latin1')
    const top = path.includes('/vendor/composer/') ? "__DIR__ . '/../debian/" : "DOKU_INC . 'vendor/debian/"
    const after = before
      .replaceAll(/(?:\$vendorDir \. )?'\/usr\/share\/(php|php-geshi|javascript)\//g, `${top}$1/`)
      .replaceAll("'/var/lib/dokuwiki/data'", "'./data'")
    if (after !== before) writeFileSync(path, after, 'latin1')
  }
}

function check(target: string): void {
  for (const name of [
    'doku.php',
    'index.php',
    'inc/init.php',
    'lib/exe/css.php',
    'lib/plugins',
    'lib/tpl/dokuwiki',
    'conf/dokuwiki.php',
    'data/pages',
  ]) {
    if (!existsSync(join(target, name)))
      throw new Error(`Cannot assemble DokuWiki: "${name}" is not in Debian's packages`)
  }
  const links = linksIn(target)
  if (links.length > 0) throw new Error(`Cannot assemble DokuWiki: "${links[0]}" is still a link`)
}

function linksIn(directory: string): string[] {
  return entries(directory).filter((path) => lstatSync(path).isSymbolicLink())
}

function filesIn(directory: string): string[] {
  return entries(directory).filter((path) => statSync(path).isFile())
}

function entries(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name))
}
