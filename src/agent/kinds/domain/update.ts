import { WcpError } from '../../../contract/errors.ts'
import type { Fqdn, HttpsPolicy } from '../../../contract/values.ts'
import { tooWide } from '../../../lib/address-prefixes.ts'
import { domainUpdate } from '../../../resources/domain/jobs.ts'
import type { SiteOptions } from '../../jobs/registry.ts'
import { stoppedFpm } from '../../steps/stopped-fpm.ts'
import { certificateOf, httpsFacts, named, placesOf } from '../certificate/facts.ts'
import { identity, mayClaim, mayUsePhp, siteIn, type Tenant, tenantIn } from '../judge.ts'
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
  /** Absent in what an older version began; `named`: by the site's own certificate, null where it is not there. */
  readonly https?: HttpsPolicy
  readonly named?: readonly Fqdn[] | null
}

export const updateDomain = provision(domainUpdate, {
  async target({ tenant: tenantId, domain: id, aliases, php, ...wish }, world): Promise<Target> {
    const tenant = identity(tenantIn(world.registry, tenantId, ['active', 'suspended']))
    const known = siteIn(world.registry, tenantId, id, ['active', 'suspended'])
    const { fqdn, ...before } = known
    const site = { id, fqdn, aliases, php, settings: wish.settings ?? before.settings }
    mayClaim(world, { tenant: tenantId, site: id, names: namesOf(site) })
    mayUsePhp(world, tenantId, id, php)
    mayChoose(site)
    await mayChoosePhpOptions(world, known, site)
    const chain = world.machine.files.existsNow(placesOf(world.machine, tenant, fqdn).chain)
      ? certificateOf(world.registry, known)?.chain
      : null
    return {
      tenant,
      site,
      before: { aliases: before.aliases, php: before.php, https: before.https, settings: before.settings },
      https: wish.https ?? before.https,
      named: chain == null ? null : named({ chain, names: namesOf(site) }),
    }
  },
  // new names are taken at once, old ones kept until the end; PHP started during the job is the new one
  reserve(registry, { site, https }) {
    registry.claimHosts(site.id, namesOf(site))
    const { aliases, php, settings } = site
    registry.setSite(site.id, { aliases, php, ...(https && { https }), ...(settings && { settings }) })
  },
  steps({ tenant, site, before, https, named }, machine) {
    const names = namesOf(site)
    const dropped = before.aliases.filter((name) => !names.includes(name))
    const changesPhp = before.php !== null && site.php !== null && before.php !== site.php
    const told = (one: SiteIdentity) => phpOptionsText(machine.places, tenant.name, one)
    const isTold = told(site) !== told({ ...site, ...before })
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
      ...(changesPhp || dropped.length > 0 || isTold ? [stoppedFpm(tenant.name)] : []),
    ]
  },
  settle: (registry, { site }) => registry.releaseHosts(site.id, namesOf(site)),
  release(registry, { site, before }) {
    registry.setSite(site.id, before)
    registry.releaseHosts(site.id, namesOf({ fqdn: site.fqdn, aliases: before.aliases }))
  },
})

/** Beyond the shape of each. */
function mayChoose({ fqdn, aliases, settings: { canonical, addresses = [] } }: Required<SiteIdentity>): void {
  const wide = tooWide(addresses.map(({ range }) => range))
  if (wide !== undefined)
    throw new WcpError('conflict', `Cannot tell the visitors of "${fqdn}" by "${wide.range}": it ${wide.problem}`)
  if (canonical === undefined || namesOf({ fqdn, aliases }).includes(canonical)) return
  throw new WcpError('conflict', `Cannot lead the visitors of "${fqdn}" to "${canonical}": it is none of its names`)
}
