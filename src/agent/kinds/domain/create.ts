import { WcpError } from '../../../contract/errors.ts'
import { domainCreate } from '../../../resources/domain/jobs.ts'
import { identity, mayClaim, mayUsePhp, mustBeFree, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { namesOf, type SiteIdentity, siteFacts } from './facts.ts'

type Target = { readonly tenant: Tenant; readonly site: SiteIdentity; readonly isNew: boolean }

export const createDomain = provision(domainCreate, {
  async target({ tenant: tenantId, domain: id, fqdn, aliases, php }, world): Promise<Target> {
    const tenant = tenantIn(world.registry, tenantId, ['active', 'suspended'])
    const isNew = world.registry.site(id) === undefined
    if (!isNew) {
      const known = siteIn(world.registry, tenantId, id, ['active'])
      const isSame = known.fqdn === fqdn && known.php === php && known.aliases.join() === aliases.join()
      if (!isSame) throw new WcpError('conflict', `Cannot create domain "${fqdn}": its id is in use`)
    }
    const names = namesOf({ fqdn, aliases })
    mayClaim(world, { tenant: tenantId, site: id, names })
    const site = {
      id,
      fqdn,
      aliases,
      php,
      apart: mayUsePhp(world, tenant, { id, php, names }, world.registry.site(id)),
    }
    const { customers, web } = world.machine.places
    if (isNew) mustBeFree(world, [customers.site(tenant.name, fqdn), web.site(tenant.name, fqdn)])
    return { tenant: identity(tenant), site, isNew }
  },
  reserve(registry, { tenant, site, isNew }) {
    if (!isNew) return
    const row = { tenant: tenant.id, state: 'making', https: 'redirect', settings: {} } as const
    registry.addSite({ ...site, aliases: [...site.aliases], apart: site.apart ?? null, ...row })
    registry.claimHosts(site.id, namesOf(site))
  },
  steps: ({ tenant, site }, machine) => siteFacts(machine, tenant, site, { isLive: true }),
  settle: (registry, { site }) => registry.setSiteState(site.id, 'active'),
  release(registry, { site, isNew }) {
    if (isNew) registry.dropSite(site.id)
  },
})
