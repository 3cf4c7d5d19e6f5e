/** SSH keys: with which a tenant's user is let in. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { AddressRanges } from '../address-ranges.ts'
import { Accepted } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { listInput, pageOf, searchInput } from '../listing.ts'
import { demandSshAccess } from '../package/ssh-access.ts'
import { conflict, taken } from '../refusals.ts'
import { mayChange } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { mostOfTenant, SshKeyName, SshPublicKey, sshKeyApply, sshKeyRemove } from './jobs.ts'
import { fingerprintOf, SshKey } from './store.ts'

const target = { sshKey: Id.describe('Id of the SSH key') }
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const list = defineOperation({
  name: 'ssh-key.list',
  summary: 'List SSH keys',
  effect: 'read',
  policy,
  http: 'GET /ssh-keys',
  positional: [],
  columns: ['id', 'name', 'tenantName', 'fingerprint', 'status'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Keys of this tenant only'),
      ...searchInput,
      ...listInput,
    }),
  output: () => pageOf(SshKey),
  async run(context, { tenant, ...query }) {
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.sshKeys.list({ ...query, tenantId, scope: scopeOf(context.actor) })
  },
})

export const get = defineOperation({
  name: 'ssh-key.get',
  summary: 'Show an SSH key',
  effect: 'read',
  policy,
  http: 'GET /ssh-keys/{sshKey}',
  positional: ['sshKey'],
  input: () => z.strictObject(target),
  output: () => SshKey,
  run: ({ sshKeys, actor }, { sshKey }) => sshKeys.get(sshKey, scopeOf(actor)),
})

export const create = defineOperation({
  name: 'ssh-key.create',
  summary: 'Give the user of a tenant an SSH key',
  description: 'Sending it again after a failure makes the same key anew.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  stepUp: true,
  http: 'POST /ssh-keys',
  positional: ['tenant', 'name', 'publicKey'],
  input: () =>
    z.strictObject({
      tenant: TenantRef,
      name: SshKeyName.describe('What it is called here, such as whose laptop has it'),
      publicKey: SshPublicKey.describe('Its type and body, without options and comment'),
      addresses: AddressRanges.optional(),
      days: z
        .int({ error: 'a number from 1 to 3650' })
        .min(1, { error: 'a number from 1 to 3650' })
        .max(3650, { error: 'a number from 1 to 3650' })
        .optional()
        .describe('Days after which it lets nobody in any more; left out: for ever'),
    }),
  output: () => Accepted,
  async run(context, { tenant: ref, name, publicKey, addresses: given = [], days }) {
    const what = `add SSH key "${name}"`
    const { id: tenant, name: tenantName, status, packageId } = await visibleTenant(context, ref)
    await demandSshAccess(context, what, { name: tenantName, packageId })
    await context.tenants.lock(tenant)
    await context.jobs.refuseBusy('tenant', tenant)
    if (status !== 'active' && status !== 'suspended' && status !== 'locked')
      conflict(what, `tenant "${tenantName}" is ${status}`, 'Wait until the tenant is ready.')
    const known = await context.sshKeys.ofTenant(tenant)
    const same = known.find(({ fingerprint }) => fingerprint === fingerprintOf(publicKey))
    if (same !== undefined && same.status !== 'error')
      taken(what, 'publicKey', fingerprintOf(publicKey), 'a key that the tenant does not have yet')
    if (known.length >= mostOfTenant)
      conflict(what, `tenant "${tenantName}" has ${mostOfTenant} already`, 'Delete one that is not used any more.')
    const id = same?.id ?? context.newId()
    const addresses = [...new Set(given)]
    const expiresAt = days === undefined ? null : new Date(Date.parse(context.now) + days * 86_400_000).toISOString()
    if (same === undefined)
      await context.sshKeys.insert({ id, tenantId: tenant, name, publicKey, addresses, expiresAt })
    else await context.sshKeys.setTerms(id, { addresses, expiresAt })
    const terms = { ...(expiresAt !== null && { expiresAt }), ...(addresses.length > 0 && { addresses }) }
    return { id, jobId: await context.enqueue(sshKeyApply, { tenant, 'ssh-key': id, name, key: publicKey, ...terms }) }
  },
})

export const remove = defineOperation({
  name: 'ssh-key.delete',
  summary: 'Take an SSH key away: nobody is let in with it any more',
  effect: 'machine',
  policy,
  stepUp: true,
  http: 'DELETE /ssh-keys/{sshKey}',
  positional: ['sshKey'],
  confirm: 'Take this key away? Who has it is not let in with it any more.',
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, { sshKey }) {
    const one = await context.sshKeys.get(sshKey, scopeOf(context.actor))
    await mayChange(context, { kind: 'ssh-key', row: one, name: one.name, verb: 'delete' })
    const payload = { tenant: one.tenantId, 'ssh-key': one.id }
    return { id: one.id, jobId: await context.enqueue(sshKeyRemove, payload) }
  },
})
