/**
 * A site's own certificate: key and chain lie in the site's directory, so that they go and come back with the site. The key
 * stays over all chains, and a chain is replaced by one rename: nobody reads the half of one and the half of another.
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { WcpError } from '../../../contract/errors.ts'
import { type Fqdn, type HttpsPolicy, httpsPolicies, Id } from '../../../contract/values.ts'
import { bears, parseChain } from '../../../lib/certificate-chain.ts'
import type { Registry, SiteRecord } from '../../jobs/registry.ts'
import type { Machine } from '../../os/machine.ts'
import type { TenantIdentity } from '../../os/tenant-identity.ts'
import { absentPath } from '../../steps/absent-path.ts'
import { directory } from '../../steps/directory.ts'
import { link } from '../../steps/link.ts'
import { type Loss, privateKey, readKey } from '../../steps/private-key.ts'
import type { Step } from '../../steps/step.ts'
import { textFile } from '../../steps/text-file.ts'

/** `chain`: null while there is only the key. */
const Kept = z.strictObject({ domain: Id, chain: z.string().nullable() })
export interface Certificate extends z.output<typeof Kept> {
  readonly id: Id
  readonly tenant: Id
}

export const kind = 'certificate'

type Owner = Pick<TenantIdentity, 'name'>

/** @param chain in use, with whose key nothing else may happen than that it is read by those who may */
export function keyFacts(machine: Machine, tenant: Owner, fqdn: Fqdn, chain?: string): readonly Step[] {
  const { own, key } = placesOf(machine, tenant, fqdn)
  const gid = machine.accounts.workersGid
  const right =
    chain === undefined
      ? {}
      : { isRight: (found: KeyObject) => isFor(chain, found), ifLost: (how: Loss) => remedy(fqdn, how) }
  return [
    directory({ path: own, mode: 0o750, uid: 0, gid }),
    privateKey({ path: key, mode: 0o640, uid: 0, gid, ...right }),
  ]
}

/** A repair makes no key beside a certificate in use (docs/0028-drift.md). */
function remedy(fqdn: Fqdn, how: Loss): string {
  const next = `the next renewal gets a certificate for it, or bring one ("wcp certificate request ${fqdn}")`
  if (how === 'another') return `put the former key back; or leave this one: ${next}`
  const make = `no repair makes another: "wcp certificate create ${fqdn}" does, and ${next}`
  return how === 'gone' ? make : `take it away; ${make}`
}

export interface ServedSite {
  readonly fqdn: Fqdn
  readonly names: readonly Fqdn[]
  readonly chain: string
  readonly https: HttpsPolicy
}

/** While the site is served with this chain. */
export function servedFacts(machine: Machine, tenant: Owner, site: ServedSite): readonly Step[] {
  const { served, chain: path } = placesOf(machine, tenant, site.fqdn)
  return [
    ...keyFacts(machine, tenant, site.fqdn, site.chain),
    textFile({ path, text: site.chain, mode: 0o644, uid: 0, gid: 0 }),
    link({ path: served, target: machine.places.web.ownTls }),
    ...httpsFacts(machine, tenant, { ...site, named: named(site) }),
  ]
}

/**
 * The markers by which the web server sends visitors to HTTPS, a file for each name that the certificate bears, and those by
 * which it has browsers remember it. They lie beside the certificate, so that none is found while another one is served.
 * @param names of the site now or before
 */
export function httpsFacts(
  machine: Machine,
  tenant: Owner,
  site: Omit<ServedSite, 'chain'> & { readonly named: readonly Fqdn[] },
): readonly Step[] {
  const { own } = placesOf(machine, tenant, site.fqdn)
  const chosen = httpsPolicies.indexOf(site.https)
  const [, redirect, ...remembered] = httpsPolicies
  const marker = (name: string, isWanted: boolean) => {
    const path = `${own}/${name}`
    return isWanted ? textFile({ path, text: '', mode: 0o644, uid: 0, gid: 0 }) : absentPath(path)
  }
  return [
    directory({ path: `${own}/${redirect}`, mode: 0o750, uid: 0, gid: machine.accounts.workersGid }),
    ...site.names.map((name) => marker(`${redirect}/${name}`, site.https !== 'optional' && site.named.includes(name))),
    ...remembered.map((policy) => marker(policy, chosen >= httpsPolicies.indexOf(policy))),
  ]
}

/** Those of the names that a chain bears. */
export function named({ chain, names }: Pick<ServedSite, 'chain' | 'names'>): readonly Fqdn[] {
  const [leaf] = parseChain(chain) ?? []
  return leaf === undefined ? [] : names.filter((name) => bears(leaf, name))
}

export function placesOf({ places: { web } }: Pick<Machine, 'places'>, tenant: Owner, fqdn: Fqdn) {
  const site = web.site(tenant.name, fqdn)
  const own = `${site}/${web.ownTls}`
  return { own, key: `${own}/${web.keyFile}`, chain: `${own}/${web.certificateFile}`, served: `${site}/tls` }
}

/** @param tenant null: whosever it is */
export function certificateIn(registry: Registry, tenant: Id | null, id: Id): Certificate {
  const found = registry.thing(id)
  if (found?.kind !== kind || (tenant !== null && found.tenant !== tenant))
    throw new WcpError('not_found', `Cannot find certificate "${id}" on this machine`)
  return { id, tenant: found.tenant, ...Kept.parse(found.record) }
}

export function certificateOf(
  registry: Registry,
  { tenant, id }: Pick<SiteRecord, 'tenant' | 'id'>,
): Certificate | undefined {
  return certificatesOf(registry, tenant).find(({ domain }) => domain === id)
}

/** What a site is served with; null: the certificate that signs itself; `as it is`: nobody's business here. */
export type OwnCertificate = Pick<ServedSite, 'chain' | 'https'> | null | 'as it is'

/**
 * What a repair may have a site served with. A key that does not fit stays as it is: a new one beside the chain would leave
 * the site without any certificate, and so would the loss of a chain that the registry does not know.
 */
export async function ownToRepair(
  machine: Machine,
  tenant: Owner,
  { fqdn, https }: Pick<ServedSite, 'fqdn' | 'https'>,
  chain: string | null,
): Promise<OwnCertificate> {
  const places = placesOf(machine, tenant, fqdn)
  if (chain !== null && isFor(chain, await readKey(machine.files, places.key))) return { chain, https }
  return machine.files.existsNow(places.chain) ? 'as it is' : null
}

/** Whether the first certificate of the chain is for this key. */
export function isFor(chain: string, key: KeyObject | undefined): boolean {
  const [leaf] = parseChain(chain) ?? []
  return key !== undefined && leaf?.checkPrivateKey(key) === true
}

/** Of a tenant's sites, by domain. */
export function chainsOf(registry: Registry, tenant: Id): ReadonlyMap<Id, string | null> {
  return new Map(certificatesOf(registry, tenant).map(({ domain, chain }) => [domain, chain]))
}

function certificatesOf(registry: Registry, tenant: Id): readonly Certificate[] {
  return registry.thingsOf(tenant, kind).map(({ id, record }) => ({ id, tenant, ...Kept.parse(record) }))
}
