/** The domain that an operation is about, as far as its state allows it. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import type { Context } from '../context.ts'
import { refuseBelowHolds } from '../hold/hold.ts'
import { conflict } from '../refusals.ts'
import { mayChange, type Verb } from '../status-guard.ts'
import { scopeOf } from '../visibility.ts'
import type { Domain } from './schema.ts'

export const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain, by id or name')

/** The domain, if the actor may see it, its status allows the verb, and its tenant is not on the way into the trash. */
export async function ready(context: Context, ref: string, verb: Verb): Promise<Domain> {
  const deleted = verb === 'restore'
  const domain = await context.domains.get(ref, { scope: scopeOf(context.actor), deleted })
  await mayChange(context, { kind: 'domain', row: domain, name: domain.fqdn, verb })
  if (verb === 'update' || verb === 'delete')
    await refuseBelowHolds(context, `${verb} domain "${domain.fqdn}"`, { kind: 'domain', id: domain.id })
  const tenant = await context.tenants.find(domain.tenantId)
  if (tenant === undefined || tenantIsLeaving.includes(tenant.status))
    conflict(
      `${verb} domain "${domain.fqdn}"`,
      `tenant "${domain.tenantName}" is ${tenant?.status ?? 'in the trash'}`,
      'What belongs to a tenant goes and comes back with it: restore the tenant.',
    )
  return domain
}

const tenantIsLeaving: readonly string[] = ['deleting', 'deleted', 'purging', 'restoring']
