/**
 * Which `Host` the panel answers to (threats C18): the configured address, the names of the machine itself, and its
 * addresses. While no address is configured, any well-formed host is accepted, because nobody has said which one is right.
 */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface HostPolicy {
  accepts(host: string): boolean
}

const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** @param localAddresses the machine's own addresses; asked at each refusal, because they come and go. */
export function hostPolicy(
  baseUrl: string | null,
  localAddresses: () => readonly string[] = machineAddresses,
): HostPolicy {
  const configured = baseUrl === null ? null : new URL(baseUrl).hostname
  return {
    accepts(header) {
      const host = parseHost(header)
      if (host === null) return false
      if (configured === null || host === bare(configured) || host === 'localhost') return true
      return isIP(host) !== 0 && localAddresses().includes(host)
    },
  }
}

/** The lower-case name or address of a `Host` header, without port and brackets; null when it is none. */
export function parseHost(header: string): string | null {
  const match = /^(?<host>\[[0-9a-fA-F:.]+\]|[^[\]:/@?#\s]+?)(?::(?<port>\d{1,5}))?$/.exec(header)
  const host = match?.groups?.host
  if (host === undefined || Number(match?.groups?.port ?? 0) > 65_535) return null
  if (host.startsWith('[')) return isIP(bare(host)) === 6 ? canonicalIPv6(bare(host)) : null
  const name = host.toLowerCase()
  return isIP(name) === 4 || hostName.test(name) ? name : null
}

const bare = (host: string) => (host.startsWith('[') ? host.slice(1, -1) : host)

const canonicalIPv6 = (address: string) => bare(new URL(`http://[${address}]`).hostname)

function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address, family }) => (family === 'IPv6' ? canonicalIPv6(address) : address))
}
