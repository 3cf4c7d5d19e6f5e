/** Whether the DNS leads the names of a site to this machine, and whether it lets the authority issue. What is missing is said with the record to set. */

import type { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ask, type DnsLook, type Looked } from '../dns-look.ts'
import { isPublicAddress } from '../webhook/public-address.ts'

/** Public addresses of this machine's interfaces: those that the world may know it by. */
export function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
  return all.filter(({ address, internal }) => !internal && isPublicAddress(address)).map(({ address }) => address)
}

export interface Readiness<Name> {
  readonly ready: Name[]
  /** Those of them that do not lead here, and are proven in the DNS. */
  readonly overDns: readonly Name[]
  /** In the order of the names. */
  readonly lacking: readonly { readonly progress: 'address' | 'caa'; readonly problem: string }[]
}

export interface Circumstances {
  /** Addresses of this machine. */
  readonly own: readonly string[]
  /** Of the authority; asked for when a name leads here. */
  identities(): Promise<readonly string[]>
  mayProveInDns(name: string): boolean
}

/** Which names may be asked for now, and what the others lack: those that lead here, or can be proven in the DNS. */
export async function readiness<Name extends string>(
  names: readonly Name[],
  { own, identities, mayProveInDns }: Circumstances,
  look: DnsLook,
): Promise<Readiness<Name>> {
  const caa = remembered((zone) => ask(look, (resolver) => resolver.resolveCaa(zone)))
  const found = await Promise.all(
    names.map(async (name) => {
      const lack = await addressLack(name, own, look)
      const overDns = lack !== null && mayProveInDns(name)
      if (lack !== null && !overDns)
        return { name, overDns, progress: 'address' as const, problem: `${lack.seen} ${lack.remedy}`.trim() }
      return { name, overDns, progress: 'caa' as const, problem: await caaProblem(name, await identities(), caa) }
    }),
  )
  const ready = found.filter(({ problem }) => problem === null)
  return {
    ready: ready.map(({ name }) => name),
    overDns: ready.filter(({ overDns }) => overDns).map(({ name }) => name),
    lacking: found.flatMap(({ progress, problem }) => (problem === null ? [] : [{ progress, problem }])),
  }
}

/** What is missing for a name to lead to this machine. */
export interface AddressLack {
  /** Nobody can tell. */
  readonly isUnknown?: true
  readonly seen: string
  readonly remedy: string
}

/** @returns null when it leads here */
export async function addressLack(name: string, own: readonly string[], look: DnsLook): Promise<AddressLack | null> {
  if (own.length === 0)
    return {
      isUnknown: true,
      seen: 'This machine has no public address of its own.',
      remedy: 'Name the one that leads to it in the setting certificates.addresses.',
    }
  const [four, six] = await Promise.all([
    ask(look, (resolver) => resolver.resolve4(name)),
    ask(look, (resolver) => resolver.resolve6(name)),
  ])
  if ('failure' in four || 'failure' in six) {
    const failure = 'failure' in four ? four.failure : 'failure' in six ? six.failure : ''
    return { isUnknown: true, seen: `The DNS does not answer for ${name} (${failure}).`, remedy: '' }
  }
  const found = [...four.records, ...six.records]
  const foreign = found.filter((address) => !own.some((one) => isSame(one, address)))
  const records = own.map((address) => `${name} ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`).join(', ')
  const remedy = `Set in the DNS: ${records}.`
  if (found.length === 0) return { seen: `${name} leads nowhere yet.`, remedy }
  if (foreign.length > 0)
    return { seen: `${name} leads to ${foreign.slice(0, 4).join(', ')}, not to this server.`, remedy }
  return null
}

/** RFC 8659: the nearest records above a name count. @param identities of the authority; none: it does not say */
async function caaProblem(
  name: string,
  identities: readonly string[],
  caaOf: (zone: string) => Promise<Looked<Awaited<ReturnType<Resolver['resolveCaa']>>[number]>>,
): Promise<string | null> {
  if (identities.length === 0) return null
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
    return null
  }
  return null
}

/** The names of a site have zones in common. */
function remembered<T>(look: (zone: string) => Promise<T>): (zone: string) => Promise<T> {
  const known = new Map<string, Promise<T>>()
  return (zone) => {
    const asked = known.get(zone) ?? look(zone)
    known.set(zone, asked)
    return asked
  }
}

function isSame(one: string, other: string): boolean {
  return normal(one) === normal(other)
}

function normal(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname : address
}
