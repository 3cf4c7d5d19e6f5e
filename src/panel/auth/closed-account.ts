/** The answer to the right password, and second factor, of somebody who is kept out: that it is so, why, and whom to ask. */
import { WcpError } from '../../contract/errors.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Credentials } from '../../resources/user/store.ts'

export async function closedAccount(
  { holds, tenants }: Pick<Stores, 'holds' | 'tenants'>,
  { user, closed }: Pick<Credentials, 'user' | 'closed'>,
): Promise<WcpError> {
  const tenant = user.tenantId === null ? undefined : await tenants.find(user.tenantId)
  const standing =
    closed === 'suspended'
      ? await holds.of({ kind: 'user', id: user.id })
      : closed === 'tenant_suspended' && tenant !== undefined
        ? await holds.of({ kind: 'tenant', id: tenant.id })
        : [] // why a tenant is locked is for staff and its reseller
  const why = standing.flatMap(({ reason, note }) => [...(reason === 'other' ? [] : [reason]), ...(note ? [note] : [])])
  const whom = tenant?.resellerEmail ?? 'the people who run this server'
  return new WcpError('not_signed_in', `Cannot sign in: ${words[closed ?? 'elsewhere']}`, {
    help: [...(why.length > 0 ? [`Reason: ${why.join('; ').replace(/\.$/, '')}.`] : []), `Ask ${whom}.`].join(' '),
  })
}

const words = {
  suspended: 'this account is suspended',
  tenant_suspended: 'this account is suspended',
  tenant_locked: 'this account is locked',
  elsewhere: 'this account is closed',
} as const satisfies Record<NonNullable<Credentials['closed']>, string>
