/** To the trash, back from it, and out of it for good. */
import type { Fqdn, Id } from '../../../contract/values.ts'
import { domainDelete, domainPurge, domainRestore } from '../../../resources/domain/jobs.ts'
import type { Machine } from '../../os/machine.ts'
import { movedPath } from '../../steps/moved-path.ts'
import { purgedTree } from '../../steps/purged-tree.ts'
import { stoppedFpm } from '../../steps/stopped-fpm.ts'
import { certificateOf } from '../certificate/facts.ts'
import { identity, mayClaim, mayUsePhp, mustHaveRested, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import {
  absentAlias,
  absentHost,
  absentPhpOptions,
  absentSettings,
  aliasFact,
  closedSite,
  hostFact,
  liveSite,
  namesOf,
  phpFact,
  phpOptionsFacts,
  routeFacts,
  type SiteIdentity,
  settingsFact,
} from './facts.ts'

/** null: there is no such site, or it is in the trash: its names and places may be a newer site's by now. */
type Deletion = {
  readonly tenant: Tenant
  readonly site: { readonly id: Id; readonly fqdn: Fqdn }
  readonly aliases: readonly Fqdn[]
} | null

export const deleteDomain = provision(domainDelete, {
  async target({ tenant: tenantId, domain: id }, { registry }): Promise<Deletion> {
    if (registry.site(id) === undefined) return null
    const site = siteIn(registry, tenantId, id, ['active', 'suspended', 'trashed', 'none'])
    if (site.state === 'trashed' || site.state === 'none') return null
    const tenant = identity(tenantIn(registry, tenantId, ['active', 'suspended']))
    return { tenant, site: { id, fqdn: site.fqdn }, aliases: site.aliases }
  },
  steps(target, machine) {
    if (target === null) return []
    const { customer, web } = trashOf(machine, target)
    return [
      closedSite(machine, target.tenant, target.site),
      absentHost(machine, target.site.fqdn),
      ...target.aliases.flatMap((name) => absentAlias(machine, target.tenant, name)),
      absentSettings([target.site.fqdn]),
      absentPhpOptions(machine, target.tenant, target.site.id),
      stoppedFpm(target.tenant.name), // it remembers to which files these names led
      movedPath({ ...web, ifMissing: 'nothing to move' }),
      movedPath({ ...customer, ifMissing: 'nothing to move' }),
    ]
  },
  settle(registry, target) {
    if (target === null) return
    registry.setSiteState(target.site.id, 'trashed')
    registry.releaseHosts(target.site.id)
  },
})

type Restoration = {
  readonly tenant: Tenant
  readonly site: SiteIdentity
  readonly wasDeleted: boolean
  /** Another PHP of its tenant serves it than before; absent in what an older version began. */
  readonly isElsewhere?: boolean
  /** Deleting the site removed the web server's links and markers: they are made anew. */
  readonly isWebLost: boolean
  /** It was closed when it was deleted. */
  readonly isSuspended: boolean
}

export const restoreDomain = provision(domainRestore, {
  async target({ tenant: tenantId, domain: id, isSuspended = false }, world): Promise<Restoration> {
    const tenant = identity(tenantIn(world.registry, tenantId, ['active', 'suspended']))
    const { fqdn, aliases, php, apart, settings, state } = siteIn(world.registry, tenantId, id, [
      'trashed',
      isSuspended ? 'suspended' : 'active',
    ])
    const names = namesOf({ fqdn, aliases })
    mayClaim(world, { tenant: tenantId, site: id, names })
    const site = { id, fqdn, aliases, php, apart: mayUsePhp(world, tenant, { id, php, names }), settings }
    const { web } = trashOf(world.machine, { tenant, site })
    const isWebLost = ![web.from, web.to].some((path) => world.machine.files.existsNow(path))
    const isElsewhere = site.apart !== apart
    return { tenant, site, wasDeleted: state === 'trashed', isElsewhere, isWebLost, isSuspended }
  },
  reserve(registry, { site }) {
    registry.claimHosts(site.id, namesOf(site))
    const { aliases, php, apart = null } = site
    registry.setSite(site.id, { aliases, php, apart })
  },
  steps({ tenant, site, isElsewhere = false, isWebLost, isSuspended }, machine) {
    const { customer, web } = trashOf(machine, { tenant, site })
    return [
      movedPath({ from: customer.to, to: customer.from, ifMissing: 'fail' }),
      ...(isWebLost
        ? routeFacts(machine, tenant, site, !isSuspended)
        : [
            movedPath({ from: web.to, to: web.from, ifMissing: 'fail' }),
            ...(isElsewhere ? [phpFact(machine, tenant, site)] : []),
            isSuspended ? closedSite(machine, tenant, site) : liveSite(machine, tenant, site),
            ...site.aliases.map((name) => aliasFact(machine, tenant, site, name)),
          ]),
      ...phpOptionsFacts(machine, tenant, site),
      settingsFact(machine, tenant, [site]),
      ...namesOf(site).map((name) => hostFact(machine, tenant, site, name)),
      ...(site.settings?.php === undefined ? [] : [stoppedFpm(tenant.name)]),
    ]
  },
  settle: (registry, { site, isSuspended }) => registry.setSiteState(site.id, isSuspended ? 'suspended' : 'active'),
  release(registry, { site, wasDeleted }) {
    if (wasDeleted) registry.releaseHosts(site.id)
  },
})

/** `certificate`: absent in what an older version began. */
type Purge = { readonly id: Id; readonly certificate?: Id | null }

export const purgeDomain = provision(domainPurge, {
  async target({ tenant, domain: id }, world): Promise<Purge | null> {
    if (world.registry.site(id) === undefined) return null
    const { state, fqdn } = siteIn(world.registry, tenant, id, ['trashed', 'purging', 'none'])
    if (state === 'trashed') mustHaveRested(world, id, fqdn)
    return { id, certificate: certificateOf(world.registry, { tenant, id })?.id ?? null }
  },
  // what is half removed can no longer be restored
  reserve(registry, target) {
    if (target !== null) registry.setSiteState(target.id, 'purging')
  },
  steps(target, { places: { customers, web } }) {
    if (target === null) return []
    return [purgedTree(`${customers.trash}/${target.id}`), purgedTree(`${web.trash}/${target.id}`)]
  },
  settle(registry, target) {
    if (target === null) return
    registry.setSiteState(target.id, 'none')
    if (target.certificate != null) registry.dropThing(target.certificate)
  },
})

function trashOf(
  { places: { customers, web } }: Machine,
  { tenant: { name }, site: { id, fqdn } }: { tenant: Tenant; site: { id: Id; fqdn: Fqdn } },
) {
  return {
    customer: { from: customers.site(name, fqdn), to: `${customers.trash}/${id}` },
    web: { from: web.site(name, fqdn), to: `${web.trash}/${id}` },
  }
}
