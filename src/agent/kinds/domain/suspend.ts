import type { Fqdn, Id } from '../../../contract/values.ts'
import { domainSuspend, domainUnsuspend } from '../../../resources/domain/jobs.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { closedSite, liveSite } from './facts.ts'

type Target = { readonly tenant: Tenant; readonly site: { readonly id: Id; readonly fqdn: Fqdn } }

export const suspendDomain = provision(domainSuspend, {
  target: existing,
  steps: ({ tenant, site }, machine) => [closedSite(machine, tenant, site)],
  settle: (registry, { site }) => registry.setSiteState(site.id, 'suspended'),
})

export const unsuspendDomain = provision(domainUnsuspend, {
  target: existing,
  steps: ({ tenant, site }, machine) => [liveSite(machine, tenant, site)],
  settle: (registry, { site }) => registry.setSiteState(site.id, 'active'),
})

async function existing(payload: { tenant: Id; domain: Id }, { registry }: World): Promise<Target> {
  const tenant = identity(tenantIn(registry, payload.tenant, ['active', 'suspended']))
  const { id, fqdn } = siteIn(registry, payload.tenant, payload.domain, ['active', 'suspended'])
  return { tenant, site: { id, fqdn } }
}
