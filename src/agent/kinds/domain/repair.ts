/** Puts a site back to what the registry wants of it: the facts that the look for drift checks, as steps of a job. */
import { domainRepair } from '../../../resources/domain/jobs.ts'
import { certificateOf, type OwnCertificate, ownToRepair } from '../certificate/facts.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { docrootFact, type SiteIdentity, siteFacts } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly site: SiteIdentity
  readonly isLive: boolean
  readonly own: OwnCertificate
}

export const repairDomain = provision(domainRepair, {
  async target({ tenant: tenantId, domain }, { registry, machine }): Promise<Target> {
    const tenant = identity(tenantIn(registry, tenantId, ['active', 'suspended']))
    const known = siteIn(registry, tenantId, domain, ['active', 'suspended'])
    const { id, fqdn, aliases, php, apart, settings, state } = known
    const own = await ownToRepair(machine, tenant, known, certificateOf(registry, known)?.chain ?? null)
    return { tenant, site: { id, fqdn, aliases, php, apart, settings }, isLive: state === 'active', own }
  },
  steps: ({ tenant, site, isLive, own }, machine) => [
    ...siteFacts(machine, tenant, site, { isLive, own }),
    docrootFact(machine, tenant, site),
  ],
  settle() {},
})
