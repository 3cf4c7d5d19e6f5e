/** Addresses outside of this machine that mean something to every tenant's processes. */
import { readFileSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'

/**
 * Where clouds tell a machine about itself, with its passwords and keys: link-local, and besides that Azure, Alibaba, Oracle;
 * of IPv6 Amazon, Google, Scaleway.
 */
export const providerAddresses = {
  ipv4: ['169.254.0.0/16', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
  ipv6: ['fe80::/10', 'fd00:ec2::254', 'fd20:ce::254', 'fd00:42::42'],
} as const

export interface Resolvers {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

export function resolvers(): Resolvers {
  try {
    return resolversOf(readFileSync('/etc/resolv.conf', 'utf8'))
  } catch {
    return resolversOf('') // a machine without a resolver
  }
}

/** Names are asked for even where the resolver has an address that is closed otherwise, as Google's and Azure's has. */
export function resolversOf(text: string): Resolvers {
  const found = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, address = '']) => address)
  return { ipv4: found.filter(isIPv4), ipv6: found.filter((one) => isIPv6(one) && !one.includes('%')) }
}
