/** A domain: the name of a site, its aliases, and the PHP that serves it. */
import { z } from 'zod'
import { Fqdn, Id, PhpVersion, TenantName } from '../../contract/values.ts'
import { timestamps } from '../answers.ts'

export const DomainStatus = z.enum(
  ['pending', 'active', 'deploying', 'suspended', 'error', 'deleting', 'deleted', 'restoring', 'purging'],
  { error: 'a status such as active or suspended' },
)
export type DomainStatus = z.output<typeof DomainStatus>

export const Domain = z.strictObject({
  id: Id,
  fqdn: Fqdn,
  aliases: z.array(Fqdn),
  tenantId: Id,
  tenantName: TenantName,
  /** null: a site without PHP. */
  php: PhpVersion.nullable(),
  status: DomainStatus,
  version: z.int(),
  ...timestamps,
})
export type Domain = z.output<typeof Domain>
