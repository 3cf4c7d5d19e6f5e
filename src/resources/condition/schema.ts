/** A condition: what needs the attention of an operator, from when it was raised until it clears. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Time } from '../answers.ts'

/** For webhooks: one event for all that were raised or cleared at about the same time. */
export const conditionEvents = ['condition.raised', 'condition.cleared'] as const

export const Severity = z.enum(['warning', 'critical'], { error: 'warning or critical' })

export const ConditionState = z.enum(['standing', 'cleared'], { error: 'standing or cleared' })

export const Condition = z.strictObject({
  id: Id,
  /** The part that was looked at: `services`, `disks`, `jobs`. */
  source: z.string(),
  /** The thing there. */
  subject: z.string(),
  severity: Severity,
  title: z.string(),
  detail: z.string().nullable(),
  /** Page of the panel that shows more. */
  page: z.string().nullable(),
  raisedAt: Time,
  /** null while it stands. */
  clearedAt: Time.nullable(),
})
export type Condition = z.output<typeof Condition>
