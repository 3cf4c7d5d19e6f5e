import { isDeepStrictEqual } from 'node:util'
import { WcpError } from '../../../contract/errors.ts'
import type { SiteRecord } from '../../jobs/registry.ts'
import { directivesToTry } from '../../render/php-options.ts'
import { identity, tenantIn } from '../judge.ts'
import type { World } from '../provisioner.ts'
import type { SiteIdentity } from './facts.ts'

/** Within what the tenant has, and nothing that this PHP refuses. What is so already is not asked again. */
export async function mayChoosePhpOptions(world: World, known: SiteRecord, site: SiteIdentity): Promise<void> {
  const options = site.settings?.php
  const isSame = site.php === known.php && isDeepStrictEqual(options, known.settings.php)
  if (options === undefined || site.php === null || isSame) return
  const tenant = tenantIn(world.registry, known.tenant, ['active', 'suspended'])
  const { memMb } = tenant.limits
  if (memMb !== null && (options.memoryMb ?? 0) > memMb)
    throw new WcpError(
      'conflict',
      `Cannot give PHP of "${site.fqdn}" ${options.memoryMb} MB: the tenant has ${memMb} MB`,
    )
  const refused = await world.machine.services.refusedByPhp(site.php, identity(tenant), directivesToTry(options))
  if (refused === undefined) return
  throw new WcpError('conflict', `Cannot set PHP ${site.php} of "${site.fqdn}" like this: ${refused}`)
}
