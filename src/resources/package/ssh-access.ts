import { WcpError } from '../../contract/errors.ts'
import type { Context } from '../context.ts'
import type { Tenant } from '../tenant/schema.ts'

/** Refuses where a key would let nobody in. */
export async function demandSshAccess(
  { packages }: Context,
  what: string,
  { name, packageId }: Pick<Tenant, 'name' | 'packageId'>,
): Promise<void> {
  const chosen = await packages.get(packageId)
  if (chosen.sshAccess !== 'none') return
  throw new WcpError(
    'limit_reached',
    `Cannot ${what}: package "${chosen.name}" of tenant "${name}" gives no access by SSH`,
    {
      help: 'Give the tenant another package, or set sshAccess of this one to sftp or shell.',
      details: { sshAccess: 'none' },
    },
  )
}
