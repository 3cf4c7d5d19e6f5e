import { WcpError } from '../../../contract/errors.ts'
import type { Fqdn, HttpsPolicy } from '../../../contract/values.ts'
import { tooWide } from '../../../lib/address-prefixes.ts'
import { domainUpdate } from '../../../resources/domain/jobs.ts'
import type { Registry, SiteOptions, SiteRecord } from '../../jobs/registry.ts'
import { poolOf } from '../../os/fpm-pool.ts'
import { stoppedFpm } from '../../steps/stopped-fpm.ts'
import { certificateOf, httpsFacts, named, placesOf } from '../certificate/facts.ts'
import { identity, isLiving, mayClaim, mayUsePhp, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import {
  absentAlias,
  aliasFact,
  hostFact,
  namesOf,
  phpFact,
  phpOptionsFacts,
  phpOptionsText,
  type SiteIdentity,
  settingsFact,
  usersFact,
} from './facts.ts'
import { mayChoosePhpOptions } from './php-options.ts'

type Target = {
  readonly tenant: Tenant
  readonly site: SiteIdentity
  readonly before: SiteOptions
  /** Nobody is served any more by the PHP that it had; absent in what an older version began. */
  readonly isLeft?: boolean
  /** Absent in what an older version began; `named`: by the site's own certificate, null where it is not there. */
  readonly https?: HttpsPolicy
  readonly named?: readonly Fqdn[] | null
}

export const updateDomain = provision(domainUpdate, {
  async target({ tenant: tenantId, domain: id, aliases, php, ...wish }, world): Promise<Target> {
    const tenant = identity(tenantIn(world.registry, tenantId, ['active', 'suspended']))
    const known = siteIn(world.registry, tenantId, id, ['active', 'suspended'])
    const { fqdn, ...before } = known
    const names = namesOf({ fqdn, aliases })
    mayClaim(world, { tenant: tenantId, site: id, names })
    const apart = mayUsePhp(world, tenant, { id, php, names }, known)
    const site = { id, fqdn, aliases, php, apart, settings: wish.settings ?? before.settings }
    mayChoose(site)
    await mayChoosePhpOptions(world, known, site)
    const chain = world.machine.files.existsNow(placesOf(world.machine, tenant, fqdn).chain)
      ? certificateOf(world.registry, known)?.chain
      : null
    return {
      tenant,
      site,
      before: {
        ...{ aliases: before.aliases, php: before.php, apart: before.apart },
        ...{ https: before.https, settings: before.settings },
      },
      isLeft: isLeft(world.registry, known, { php, apart }),
      https: wish.https ?? before.https,
      named: chain == null ? null : named({ chain, names: namesOf(site) }),
    }
  },
  // new names are taken at once, old ones kept until the end; PHP started during the job is the new one
  reserve(registry, { site, https }) {
    registry.claimHosts(site.id, namesOf(site))
    const { aliases, php, apart = null, settings } = site
    registry.setSite(site.id, { aliases, php, apart, ...(https && { https }), ...(settings && { settings }) })
  },
  steps({ tenant, site, before, isLeft, https, named }, machine) {
    const names = namesOf(site)
    const dropped = before.aliases.filter((name) => !names.includes(name))
    const changesPhp = before.php !== null && site.php !== null && before.php !== site.php
    const left = poolOf(tenant.name, before.apart ?? undefined)
    const told = (one: SiteIdentity) => phpOptionsText(machine.places, tenant.name, one)
    const isTold = told(site) !== told({ ...site, ...before })
    const one = (isLeft ?? changesPhp) ? [stoppedFpm(tenant.name, left)] : []
    const stops = dropped.length > 0 || isTold ? [stoppedFpm(tenant.name)] : one
    return [
      phpFact(machine, tenant, site),
      ...phpOptionsFacts(machine, tenant, site),
      // what an older version began says nothing of settings, and there were none
      ...(site.settings?.locked === undefined ? [] : [usersFact(machine, tenant, site)]),
      settingsFact(machine, tenant, [site]),
      ...(site.settings?.locked === undefined ? [usersFact(machine, tenant, site)] : []),
      ...site.aliases.map((name) => aliasFact(machine, tenant, site, name)),
      ...names.map((name) => hostFact(machine, tenant, site, name)),
      ...dropped.flatMap((name) => absentAlias(machine, tenant, name)),
      ...(https === undefined || named == null
        ? []
        : httpsFacts(machine, tenant, { fqdn: site.fqdn, names: [...names, ...dropped], https, named })),
      // PHP remembers to which files a name led; it may lead elsewhere the next time it is given
      ...stops,
    ]
  },
  settle: (registry, { site }) => registry.releaseHosts(site.id, namesOf(site)),
  release(registry, { site, before }) {
    registry.setSite(site.id, before)
    registry.releaseHosts(site.id, namesOf({ fqdn: site.fqdn, aliases: before.aliases }))
  },
})

/** The PHP that served it has another version to run from now on, or nobody to serve. */
function isLeft(registry: Registry, known: SiteRecord, after: Pick<SiteRecord, 'php' | 'apart'>): boolean {
  if (known.php === null || (known.php === after.php && known.apart === after.apart)) return false
  const isOther = (one: SiteRecord) =>
    one.id !== known.id && isLiving(one) && one.php !== null && one.apart === known.apart
  return !registry.sitesOf(known.tenant).some(isOther)
}

/** Beyond the shape of each. */
function mayChoose({ fqdn, aliases, settings: { canonical, addresses = [] } }: Required<SiteIdentity>): void {
  const wide = tooWide(addresses.map(({ range }) => range))
  if (wide !== undefined)
    throw new WcpError('conflict', `Cannot tell the visitors of "${fqdn}" by "${wide.range}": it ${wide.problem}`)
  if (canonical === undefined || namesOf({ fqdn, aliases }).includes(canonical)) return
  throw new WcpError('conflict', `Cannot lead the visitors of "${fqdn}" to "${canonical}": it is none of its names`)
}
