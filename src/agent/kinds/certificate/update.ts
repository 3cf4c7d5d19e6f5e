import { WcpError } from '../../../contract/errors.ts'
import type { Fqdn, HttpsPolicy, Id } from '../../../contract/values.ts'
import { chainProblem, parseChain } from '../../../lib/certificate-chain.ts'
import { certificateUpdate } from '../../../resources/certificate/jobs.ts'
import { readKey } from '../../steps/private-key.ts'
import { namesOf } from '../domain/facts.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { certificateIn, isFor, kind, named, placesOf, servedFacts } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly id: Id
  readonly site: { readonly id: Id; readonly fqdn: Fqdn; readonly names: readonly Fqdn[]; readonly https: HttpsPolicy }
  readonly chain: string
}

/** Nothing that does not match the key and the names of the site reaches a visitor, whoever brings it. */
export const updateCertificate = provision(certificateUpdate, {
  async target({ tenant: tenantId, certificate: id, chain }, { registry, machine }): Promise<Target> {
    const tenant = identity(tenantIn(registry, tenantId, ['active', 'suspended']))
    const { domain } = certificateIn(registry, tenantId, id)
    const site = siteIn(registry, tenantId, domain, ['active', 'suspended'])
    const parsed = parseChain(chain) ?? []
    const problem = chainProblem(parsed, { names: [], now: machine.now() })
    if (problem !== undefined) throw refused(site.fqdn, problem)
    if (named({ chain, names: namesOf(site) }).length === 0) throw refused(site.fqdn, 'it bears none of its names')
    const key = await readKey(machine.files, placesOf(machine, tenant, site.fqdn).key)
    if (!isFor(chain, key)) throw refused(site.fqdn, 'it is not for the key that was made here')
    return { tenant, id, site: { id: domain, fqdn: site.fqdn, names: namesOf(site), https: site.https }, chain }
  },
  steps: ({ tenant, site, chain }, machine) => servedFacts(machine, tenant, { ...site, chain }),
  settle(registry, { tenant, id, site, chain }) {
    registry.putThing({ id, kind, tenant: tenant.id, name: site.fqdn, record: { domain: site.id, chain } })
  },
})

function refused(fqdn: Fqdn, why: string): WcpError {
  return new WcpError('conflict', `Cannot serve this certificate for "${fqdn}": ${why}`)
}
