// The package registries, reachable from inside a machine under their own names although its network leads nowhere.
// QEMU answers each on an address of its own and hands the connection to `nc` on this host (guestfwd).

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hostAptSources } from './apt-sources.ts'
import { command } from './command.ts'

export const Registry = z.object({ host: z.string(), port: z.number(), address: z.string() })
export type Registry = z.infer<typeof Registry>

export type HostRegistries = {
  readonly registries: readonly Registry[]
  readonly npmRegistry: string
  readonly aptSettings: readonly string[]
  readonly certificates: Readonly<Record<string, string>>
}

export async function hostRegistries(): Promise<HostRegistries> {
  const npmRegistry = (await command(['npm', 'config', 'get', 'registry'], { cwd: '/' })).stdout.trim()
  const aptSettings = await hostAptSettings()
  const urls = [
    ...hostAptSources().map(({ uri }) => uri),
    npmRegistry,
    ...aptSettings
      .join(' ')
      .matchAll(/https?:[^"]+/g)
      .map(String),
  ]
  return { registries: addresses(urls), npmRegistry, aptSettings, certificates: localCertificates() }
}

/** One address per host, one entry per host and port, in a stable order. */
export function addresses(urls: readonly string[]): Registry[] {
  const endpoints = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url))
  const hosts = [...new Set(endpoints.map(({ hostname }) => hostname))].sort()
  const found = endpoints.map(({ hostname: host, port, protocol }) => ({
    host,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    address: `10.0.2.${100 + hosts.indexOf(host)}`,
  }))
  const unique = new Map(found.map((registry) => [`${registry.address}:${registry.port}`, registry]))
  return [...unique.values()].sort((a, b) => a.address.localeCompare(b.address) || a.port - b.port)
}

/** Options of QEMU's `-netdev user`. */
export function guestForwards(registries: readonly Registry[]): string[] {
  return registries.map(({ address, port, host }) => `guestfwd=tcp:${address}:${port}-cmd:nc ${host} ${port}`)
}

/** How this host is told to talk to its mirrors: proxies and what a frozen mirror needs. */
async function hostAptSettings(): Promise<string[]> {
  const { stdout } = await command(['apt-config', 'dump'])
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::(Check-Valid-Until|Check-Date|Retries|https?::Proxy)\b.*"[^"]+";$/.test(line))
}

function localCertificates(directory = '/usr/local/share/ca-certificates'): Record<string, string> {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.crt')) : []
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}
