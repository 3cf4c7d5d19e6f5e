// The Debian archive as this host reaches it, said again for another suite.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Suite = 'trixie' | 'bookworm'

export type AptSource = {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** One-line entries for `suite`, its updates and its security fixes, from the mirrors that this host uses. */
export function debianLines(suite: Suite, sources: readonly AptSource[], hostSuite: string): string[] {
  const lines = sources.flatMap(({ uri, suites, components }) =>
    suites
      .filter((name) => new RegExp(`^${hostSuite}(-updates|-security)?$`).test(name))
      .map((name) => `deb [signed-by=${keyring}] ${uri} ${name.replace(hostSuite, suite)} ${components.join(' ')}`),
  )
  if (lines.length > 0) return lines
  const mirror = process.env.WCP_VM_MIRROR
  if (mirror) return [`deb [signed-by=${keyring}] ${mirror} ${suite} main`]
  throw new Error('Cannot find a Debian mirror in the apt sources of this host: set WCP_VM_MIRROR to one')
}

/** The host's own entries that point to the Debian archive. */
export function hostAptSources(etcApt = '/etc/apt'): AptSource[] {
  const parts = join(etcApt, 'sources.list.d')
  const files = [
    join(etcApt, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ]
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => (file.endsWith('.sources') ? parseDeb822 : parseOneLine)(readFileSync(file, 'utf8')))
    .filter(({ uri }) => /\/debian(-security)?\/?$/.test(uri))
}

/** sources.list(5), "one-line-style format". */
export function parseOneLine(text: string): AptSource[] {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].map(
    ([, uri = '', suite = '', components = '']) => ({
      uri,
      suites: [suite],
      components: words(components),
    }),
  )
}

/** sources.list(5), "deb822-style format". */
export function parseDeb822(text: string): AptSource[] {
  const stanzas = text.replace(/^#.*\n/gm, '').split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    const field = (name: string) => words(new RegExp(`^${name}:(.*)$`, 'mi').exec(stanza)?.[1] ?? '')
    if (!field('Types').includes('deb')) return []
    return field('URIs').map((uri) => ({ uri, suites: field('Suites'), components: field('Components') }))
  })
}

function words(text: string): string[] {
  return text.trim().split(/\s+/).filter(Boolean)
}
