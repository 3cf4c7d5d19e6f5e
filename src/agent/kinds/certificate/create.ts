import { WcpError } from '../../../contract/errors.ts'
import type { Fqdn, Id } from '../../../contract/values.ts'
import { certificateCreate } from '../../../resources/certificate/jobs.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { certificateOf, keyFacts, kind } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly id: Id
  readonly site: { readonly id: Id; readonly fqdn: Fqdn }
  readonly chain: string | null
}

/** A site has one: its key is made once. */
export const createCertificate = provision(certificateCreate, {
  async target({ tenant: tenantId, certificate: id, domain }, { registry }): Promise<Target> {
    const tenant = identity(tenantIn(registry, tenantId, ['active', 'suspended']))
    const site = siteIn(registry, tenantId, domain, ['active', 'suspended'])
    const known = certificateOf(registry, site)
    const namesake = registry.thing(id)
    if ((known !== undefined && known.id !== id) || (namesake !== undefined && known === undefined))
      throw new WcpError('conflict', `Cannot make a certificate for "${site.fqdn}": there is one, or its id is in use`)
    return { tenant, id, site: { id: domain, fqdn: site.fqdn }, chain: known?.chain ?? null }
  },
  steps: ({ tenant, site }, machine) => keyFacts(machine, tenant, site.fqdn),
  settle(registry, { tenant, id, site, chain }) {
    registry.putThing({ id, kind, tenant: tenant.id, name: site.fqdn, record: { domain: site.id, chain } })
  },
})
