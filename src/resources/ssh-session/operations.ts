/** Sessions by SSH: looked at and ended. They are on the machine alone, so each call asks the root side. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { SshSession } from '../../contract/ssh-session.ts'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { visibleTenant } from '../visibility.ts'
import { OpenSession } from './schema.ts'

const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const list = defineOperation({
  name: 'ssh-session.list',
  summary: 'List sessions by SSH and SFTP that are open',
  effect: 'read',
  policy,
  http: 'GET /ssh-sessions',
  positional: [],
  columns: ['id', 'tenantName', 'key', 'from', 'openedAt'],
  input: () => z.strictObject({ tenant: TenantRef.optional().describe('Sessions of this tenant only'), ...listInput }),
  output: () => pageOf(OpenSession),
  async run(context, { tenant, cursor = '', limit }) {
    const only = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    const all = await visible(context, only)
    const after = all.filter(({ id }) => id > cursor)
    const items = after.slice(0, limit)
    return { items, nextCursor: after.length > limit ? (items.at(-1)?.id ?? null) : null }
  },
})

export const end = defineOperation({
  name: 'ssh-session.end',
  summary: 'End a session by SSH: what runs in it is stopped',
  description: 'Who has the key can open another one: delete the key first, or suspend the tenant.',
  effect: 'write',
  policy,
  http: 'DELETE /ssh-sessions/{sshSession}',
  positional: ['sshSession'],
  confirm: 'End this session? What runs in it is stopped.',
  input: () => z.strictObject({ sshSession: Id.describe('Id of the session') }),
  output: () => Done,
  async run(context, { sshSession }) {
    const found = (await visible(context)).find(({ id }) => id === sshSession) ?? notFound('SSH session', sshSession)
    await context.machine.endSshSession(found.id)
    return { id: found.id }
  },
})

/** By id; without those of tenants that the caller may not see. */
async function visible(context: Context, only?: Id): Promise<OpenSession[]> {
  const open = (await context.machine.sshSessions()).filter((one) => one.isOpen && (only ?? one.tenant) === one.tenant)
  const names = new Map<Id, string>()
  for (const tenant of new Set(open.map((one) => one.tenant))) {
    const name = await nameOf(context, tenant)
    if (name !== undefined) names.set(tenant, name)
  }
  return open
    .flatMap((one) => described(one, names.get(one.tenant)))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

async function nameOf(context: Context, tenant: Id): Promise<string | undefined> {
  try {
    return (await visibleTenant(context, tenant)).name
  } catch (error) {
    if (error instanceof WcpError && error.code === 'not_found') return undefined
    throw error
  }
}

function described({ id, tenant, at, from, key }: SshSession, tenantName: string | undefined): OpenSession[] {
  if (tenantName === undefined) return []
  return [{ id, tenantId: tenant, tenantName, key: key?.name ?? null, keyId: key?.id ?? null, from, openedAt: at }]
}
