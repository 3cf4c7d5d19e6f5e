/** The audit trail: who did what, and whether the record is whole. */
import { z } from 'zod'
import { Id, Line } from '../../contract/values.ts'
import { Moment } from '../../lib/moment.ts'
import { Count } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { badInput } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { compareTrails } from './compare-trails.ts'
import { asCsv, asJsonLines } from './export-text.ts'
import { AuditEntry, AuditVerdict, ListedEntry, listed } from './schema.ts'

const narrowing = {
  action: Line.max(60).optional().describe('Entries of this action only, such as domain.create'),
  actor: Line.max(254).optional().describe('Entries of this actor only: an e-mail address, or root'),
  actionCode: Line.max(60).optional().describe('The same as action'),
  actorUserId: Id.optional().describe('Entries of the user with this id only'),
  ipAddress: Line.max(45).optional().describe('Entries from this address only'),
  outcome: AuditEntry.shape.outcome.optional().describe('ok, refused or failed'),
  tenant: TenantRef.optional().describe('Entries about this tenant only'),
  since: Moment.optional().describe('Entries from this day or moment on, in UTC'),
  until: Moment.optional().describe('Entries before this day or moment, in UTC'),
  search: Line.max(253, { error: 'at most 253 characters' })
    .optional()
    .describe('Text anywhere in an entry, its details included'),
}

interface Narrowing {
  tenant?: string | undefined
  action?: string | undefined
  actionCode?: string | undefined
}

async function queryOf<Q extends Narrowing>({ tenants }: Context, { tenant, action, actionCode, ...query }: Q) {
  if (action !== undefined && actionCode !== undefined && action !== actionCode)
    badInput('read the trail', {
      field: 'actionCode',
      problem: 'is another one than action',
      accepted: 'one of the two',
    })
  return {
    ...query,
    action: action ?? actionCode,
    tenantId: tenant === undefined ? undefined : (await tenants.get(tenant)).id,
  }
}

export const list = defineOperation({
  name: 'audit.list',
  summary: 'List the audit trail, the newest first',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /audit',
  positional: [],
  columns: ['sequence', 'at', 'actor', 'action', 'outcome', 'ip'],
  input: () =>
    z.strictObject({
      ...narrowing,
      ...listInput,
    }),
  output: () => pageOf(ListedEntry),
  async run(context, input) {
    const page = await context.audit.list(await queryOf(context, input))
    return { ...page, items: page.items.map(listed) }
  },
})

export const exportEntries = defineOperation({
  name: 'audit.export',
  summary: 'Export the audit trail as JSON lines or CSV, the newest first',
  description: 'Narrowed as the list is. What does not fit one answer follows with the cursor of the answer before.',
  effect: 'read',
  policy: { scopes: ['global'] },
  stepUp: true,
  http: 'GET /audit/export',
  positional: [],
  document: 'text',
  input: () =>
    z.strictObject({
      format: z.enum(['jsonl', 'csv'], { error: 'jsonl or csv' }).default('jsonl').describe('jsonl or csv'),
      ...narrowing,
      cursor: listInput.cursor,
      limit: z.coerce
        .number({ error: 'a number from 1 to 5000' })
        .int({ error: 'a whole number from 1 to 5000' })
        .min(1, { error: 'a number from 1 to 5000' })
        .max(5000, { error: 'a number from 1 to 5000' })
        .default(1000)
        .describe('Entries in one answer, 1 to 5000'),
    }),
  output: () => z.strictObject({ entries: Count, text: z.string(), nextCursor: z.string().nullable() }),
  async run(context, { format, ...input }) {
    const { items, nextCursor } = await context.audit.list(await queryOf(context, input))
    const text = format === 'csv' ? asCsv(items) : asJsonLines(items)
    return { entries: items.length, text, nextCursor }
  },
})

export const verify = defineOperation({
  name: 'audit.verify',
  summary: 'Check that the audit trail is whole',
  description:
    'Recomputes the chain from its first entry, has the root side do the same with its own log, and compares the two. With sequence and checksum of an end that was noted earlier it also finds a trail that was put back as a whole. What a panel in wrong hands says of itself proves nothing: then ask the root side alone with "wcp emergency audit".',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /audit/verify',
  positional: [],
  input: () =>
    z.strictObject({
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
  output: () => AuditVerdict,
  async run({ audit, machine }, { sequence, checksum }) {
    if ((sequence === undefined) !== (checksum === undefined))
      badInput('check the trail', {
        field: sequence === undefined ? 'sequence' : 'checksum',
        problem: 'is missing',
        accepted: 'both sequence and checksum, or neither',
      })
    const noted =
      sequence === undefined || checksum === undefined ? [] : [{ sequence, checksum, keeper: 'what was noted' }]
    return await compareTrails({ audit, machine }, noted)
  },
})
