/**
 * A site's own certificate: key and chain lie in the site's directory, so that they go and come back with the site. The key
 * stays over all chains, and a chain is replaced by one rename: nobody reads the half of one and the half of another.
 */
import { z } from 'zod'
import { WcpError } from '../../../contract/errors.ts'
import { type Fqdn, Id } from '../../../contract/values.ts'
import type { Registry, SiteRecord } from '../../jobs/registry.ts'
import type { Machine } from '../../os/machine.ts'
import type { TenantIdentity } from '../../os/tenant-identity.ts'
import { directory } from '../../steps/directory.ts'
import { link } from '../../steps/link.ts'
import { privateKey } from '../../steps/private-key.ts'
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

export function keyFacts(machine: Machine, tenant: Owner, fqdn: Fqdn): readonly Step[] {
  const { own, key } = placesOf(machine, tenant, fqdn)
  const gid = machine.accounts.workersGid
  return [directory({ path: own, mode: 0o750, uid: 0, gid }), privateKey({ path: key, mode: 0o640, uid: 0, gid })]
}

/** While the site is served with this chain. */
export function servedFacts(machine: Machine, tenant: Owner, fqdn: Fqdn, chain: string): readonly Step[] {
  const { served, chain: path } = placesOf(machine, tenant, fqdn)
  return [
    ...keyFacts(machine, tenant, fqdn),
    textFile({ path, text: chain, mode: 0o644, uid: 0, gid: 0 }),
    link({ path: served, target: machine.places.web.ownTls }),
  ]
}

export function placesOf({ places: { web } }: Machine, tenant: Owner, fqdn: Fqdn) {
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

/** Of a tenant's sites, by domain. */
export function chainsOf(registry: Registry, tenant: Id): ReadonlyMap<Id, string | null> {
  return new Map(certificatesOf(registry, tenant).map(({ domain, chain }) => [domain, chain]))
}

function certificatesOf(registry: Registry, tenant: Id): readonly Certificate[] {
  return registry.thingsOf(tenant, kind).map(({ id, record }) => ({ id, tenant, ...Kept.parse(record) }))
}
