/** The audit trail: who did what, and whether the record is whole. */
import { z } from 'zod'
import { defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { badInput } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { AuditEntry, AuditVerdict } from './schema.ts'

export const list = defineOperation({
  name: 'audit.list',
  summary: 'List the audit trail, the newest first',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /audit',
  positional: [],
  columns: ['sequence', 'at', 'actor', 'action', 'outcome', 'ip'],
  input: z.strictObject({
    action: z.string().max(60).optional().describe('Entries of this action only, such as domain.create'),
    actor: z.string().max(254).optional().describe('Entries of this actor only: an e-mail address, or root'),
    outcome: AuditEntry.shape.outcome.optional().describe('ok, refused or failed'),
    tenant: TenantRef.optional().describe('Entries about this tenant only'),
    ...listInput,
  }),
  output: pageOf(AuditEntry),
  async run({ audit, tenants }, { tenant, ...query }) {
    return audit.list({ ...query, tenantId: tenant === undefined ? undefined : (await tenants.get(tenant)).id })
  },
})

export const verify = defineOperation({
  name: 'audit.verify',
  summary: 'Check that the audit trail is whole',
  description:
    'Recomputes the chain from its first entry. With sequence and checksum of an end that was noted earlier it also finds a trail that was put back as a whole.',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /audit/verify',
  positional: [],
  input: z.strictObject({
    sequence: z.coerce
      .number({ error: 'a whole number from 1' })
      .int({ error: 'a whole number from 1' })
      .min(1, { error: 'a whole number from 1' })
      .optional()
      .describe('Number of an entry that was the end once'),
    checksum: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: '64 hexadecimal digits' })
      .optional()
      .describe('Its checksum as it was noted then'),
  }),
  output: AuditVerdict,
  async run({ audit }, { sequence, checksum }) {
    if (sequence === undefined && checksum === undefined) return audit.verify()
    if (sequence === undefined || checksum === undefined)
      return badInput('check the trail', {
        field: sequence === undefined ? 'sequence' : 'checksum',
        problem: 'is missing',
        accepted: 'both sequence and checksum, or neither',
      })
    return audit.verify({ sequence, checksum })
  },
})
