/** Conditions: what needs the attention of an operator, and what did. */
import { z } from 'zod'
import { defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { Condition, ConditionState, Severity } from './schema.ts'

export const list = defineOperation({
  name: 'condition.list',
  summary: 'List what needs attention: stalled jobs, failing services, full disks, drift, trouble of the audit trail',
  description:
    'A condition is raised once, and cleared when it is over. Whoever the settings name gets a mail of both, webhooks the events condition.raised and condition.cleared.',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /conditions',
  positional: [],
  columns: ['severity', 'title', 'raisedAt', 'clearedAt'],
  input: () =>
    z.strictObject({
      state: ConditionState.optional().describe('Only those that stand, or those that are over'),
      severity: Severity.optional().describe('Of this severity only'),
      source: z
        .string()
        .regex(/^[a-z][a-z-]{0,39}$/, { error: 'the name of a source, such as disks' })
        .optional()
        .describe('Of this source only'),
      ...listInput,
    }),
  output: () => pageOf(Condition),
  run: ({ conditions }, query) => conditions.list(query),
})
