/** Waits until those who serve a zone show a record: an authority asks any of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { ask, type DnsLook } from '../dns-look.ts'
import { isPublicAddress } from '../webhook/public-address.ts'
import type { TxtRecord } from './message.ts'
import { UpdateRefused } from './send-update.ts'

export interface Watch extends DnsLook {
  /** Addresses that are not reached from the internet are asked, too. */
  readonly mayBePrivate: boolean
  readonly patienceMs?: number
}

export interface ZoneRecord extends TxtRecord {
  readonly zone: string
}

/** A server with all addresses that it has. */
interface NameServer {
  readonly name: string
  readonly addresses: readonly string[]
}

const defaultPatienceMs = 5 * 60_000
const firstPauseMs = 500
const longestPauseMs = 5000

/**
 * Resolves when every server that answers shows all of the records, and each zone has one that does. Those that do not answer
 * are passed over, as an authority does. Throws `UpdateRefused` when its patience ends.
 */
export async function untilSeen(records: readonly ZoneRecord[], watch: Watch): Promise<void> {
  const until = performance.now() + (watch.patienceMs ?? defaultPatienceMs)
  const zones = [...new Set(records.map(({ zone }) => zone))]
  const servers = new Map(await Promise.all(zones.map(async (zone) => [zone, await serversOf(zone, watch)] as const)))
  for (let times = 0; ; times++) {
    const lacks = await Promise.all(records.map((one) => lackOf(one, servers.get(one.zone) ?? [], watch)))
    const lack = lacks.find((one) => one !== null)
    if (lack === undefined) return
    if (performance.now() > until) throw new UpdateRefused(String(lack))
    await pause(Math.min(firstPauseMs * 2 ** times, longestPauseMs), undefined, { signal: watch.signal })
  }
}

/** @returns null when it is seen wherever somebody answers */
async function lackOf(record: ZoneRecord, servers: readonly NameServer[], watch: Watch): Promise<string | null> {
  const found = await Promise.all(
    servers.map(async ({ name, addresses }) => ({ name, shows: await shows(record, addresses, watch) })),
  )
  const late = found.filter(({ shows }) => shows === false).map(({ name }) => name)
  if (late.length > 0)
    return `${late.slice(0, 4).join(', ')} did not show the record ${record.name} in time: the servers of ${record.zone} take the changes of the one that was asked too late, or not at all.`
  return found.some(({ shows }) => shows === true)
    ? null
    : `None of the name servers of ${record.zone} answers: ${servers.map(({ name }) => name).join(', ')}.`
}

/** @returns null: it does not answer */
async function shows({ name, text }: TxtRecord, addresses: readonly string[], { signal }: Watch) {
  const looks = await Promise.all(
    addresses.map((address) => ask({ servers: [address], signal }, (resolver) => resolver.resolveTxt(name))),
  )
  const answers = looks.flatMap((look) => ('records' in look ? [look.records] : []))
  if (answers.length === 0) return null
  return answers.every((records) => records.some((parts) => parts.join('') === text))
}

/** By the zone's own NS records. */
async function serversOf(zone: string, watch: Watch): Promise<NameServer[]> {
  const found = await ask(watch, (resolver) => resolver.resolveNs(zone))
  if ('failure' in found) throw new UpdateRefused(`The DNS does not say who serves ${zone} (${found.failure}).`)
  if (found.records.length === 0)
    throw new UpdateRefused(`The DNS names no servers of ${zone}: it is no zone of its own, or is not delegated yet.`)
  const servers = await Promise.all(
    found.records.slice(0, 16).map(async (name) => ({ name, addresses: await addressesOf(name, watch) })),
  )
  const known = servers.filter(({ addresses }) => addresses.length > 0)
  if (known.length === 0) throw new UpdateRefused(`The name servers of ${zone} have no addresses that can be asked.`)
  return known
}

async function addressesOf(name: string, watch: Watch): Promise<string[]> {
  const [four, six] = await Promise.all([
    ask(watch, (resolver) => resolver.resolve4(name)),
    ask(watch, (resolver) => resolver.resolve6(name)),
  ])
  const all = [four, six].flatMap((look) => ('records' in look ? look.records : []))
  return all.filter((address) => watch.mayBePrivate || isPublicAddress(address))
}
