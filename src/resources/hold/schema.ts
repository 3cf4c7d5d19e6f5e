/** A hold: why a tenant, a domain or a person is suspended, on whose word, and so who may lift it. */
import { z } from 'zod'
import { Id, Line } from '../../contract/values.ts'
import { Time } from '../answers.ts'

/** From the weakest to the strongest. */
export const holdLevels = ['customer', 'reseller', 'staff', 'root'] as const
export const HoldLevel = z.enum(holdLevels)
export type HoldLevel = z.output<typeof HoldLevel>

const reasons = ['unpaid', 'abuse', 'security', 'maintenance', 'other'] as const
export const HoldReason = z.enum(reasons, { error: `one of ${reasons.join(', ')}` })
export type HoldReason = z.output<typeof HoldReason>

export const Hold = z.strictObject({
  level: HoldLevel,
  reason: HoldReason,
  note: z.string(),
  /** E-mail address, or `root`; null for who is below the level. */
  by: z.string().nullable(),
  since: Time,
  /** Whether who asks may lift it. */
  mayLift: z.boolean(),
})
export type Hold = z.output<typeof Hold>

export const suspendInput = {
  reason: HoldReason.default('other').describe('Why; there is one hold for each reason'),
  note: Line.max(500, { error: 'at most 500 characters' })
    .default('')
    .describe('Read by everybody who sees it, the customer too'),
}

export const holdRule =
  'Only the same level (customer, reseller, staff, root) or one above lifts it; several holds can stand at once, one for each level and reason.'
export const liftRule =
  'Lifts one hold: of those that you may lift, the one of the highest level. What still stands is in the answer.'

export const lockInput = { ...suspendInput, note: suspendInput.note.describe('Read by staff and its reseller') }

export const unsuspendInput = {
  reason: HoldReason.optional().describe('Which hold to lift, where several stand'),
}

/** `holds`: those that stand now. */
export const Held = z.strictObject({ id: Id, holds: z.array(Hold) })

/** `holds`: those that stand now. Without a job it was suspended before, or is still. */
export const AcceptedHold = z.strictObject({ id: Id, jobId: Id.nullable(), holds: z.array(Hold) })
