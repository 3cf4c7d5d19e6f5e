/** Whether the DNS leads the names of a site to this machine, and whether it lets the authority issue. What is missing is said with the record to set. */

import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPublicAddress } from '../webhook/public-address.ts'

export interface DnsLook {
  /** Addresses with or without ports; none: those of the system. */
  readonly servers: readonly string[]
  readonly signal: AbortSignal
}

/** Public addresses of this machine's interfaces: those that the world may know it by. */
export function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
  return all.filter(({ address, internal }) => !internal && isPublicAddress(address)).map(({ address }) => address)
}

/** @returns what is missing; null when every name leads here */
export async function addressProblem(
  names: readonly string[],
  own: readonly string[],
  look: DnsLook,
): Promise<string | null> {
  if (own.length === 0)
    return 'This machine has no public address of its own: name the one that leads to it in the setting certificates.addresses.'
  for (const name of names) {
    const [four, six] = await Promise.all([
      ask(look, (resolver) => resolver.resolve4(name)),
      ask(look, (resolver) => resolver.resolve6(name)),
    ])
    if ('failure' in four || 'failure' in six)
      return `The DNS does not answer for ${name} (${'failure' in four ? four.failure : 'failure' in six ? six.failure : ''}).`
    const found = [...four.records, ...six.records]
    const foreign = found.filter((address) => !own.some((one) => isSame(one, address)))
    const records = own.map((address) => `${name} ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`).join(', ')
    if (found.length === 0) return `${name} leads nowhere yet. Set in the DNS: ${records}.`
    if (foreign.length > 0)
      return `${name} leads to ${foreign.slice(0, 4).join(', ')}, not to this server. Set in the DNS: ${records}.`
  }
  return null
}

/** RFC 8659: the nearest records above a name count. @param identities of the authority. @returns null when it may issue */
export async function caaProblem(
  names: readonly string[],
  identities: readonly string[],
  look: DnsLook,
): Promise<string | null> {
  if (identities.length === 0) return null
  const known = new Map<string, Promise<Looked<Awaited<ReturnType<Resolver['resolveCaa']>>[number]>>>()
  const caaOf = (name: string) => {
    const asked = known.get(name) ?? ask(look, (resolver) => resolver.resolveCaa(name))
    known.set(name, asked)
    return asked
  }
  for (const name of names) {
    const labels = name.split('.')
    for (const [place] of labels.entries()) {
      const zone = labels.slice(place).join('.')
      const answer = await caaOf(zone)
      if ('failure' in answer) return `The DNS does not say who may issue certificates for ${zone} (${answer.failure}).`
      if (answer.records.length === 0) continue
      const issuers = answer.records.flatMap(({ issue }) =>
        issue === undefined ? [] : [issue.split(';')[0]?.trim() ?? ''],
      )
      if (issuers.length > 0 && !issuers.some((issuer) => identities.includes(issuer)))
        return `${zone} lets other authorities issue certificates (CAA). Set in the DNS: ${zone} CAA 0 issue "${identities[0]}".`
      break
    }
  }
  return null
}

type Looked<T> = { readonly records: readonly T[] } | { readonly failure: string }

const tryMs = 2000
const absent = ['ENOTFOUND', 'ENODATA']

async function ask<T>({ servers, signal }: DnsLook, look: (resolver: Resolver) => Promise<T[]>): Promise<Looked<T>> {
  const resolver = new Resolver({ timeout: tryMs, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    return { records: await look(resolver) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return absent.includes(code) ? { records: [] } : { failure: code.replace(/^E/, '') }
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function isSame(one: string, other: string): boolean {
  return normal(one) === normal(other)
}

function normal(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname : address
}
