/** A mail of the panel: queued with what caused it, sent afterwards, tried again when the server does not take it. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Count, Time } from '../answers.ts'

export const mailKinds = [
  'invitation',
  'password-reset',
  'verification',
  'address-changed',
  'test',
  'conditions',
  'certificates',
] as const
export type MailKind = (typeof mailKinds)[number]

export const MailState = z.enum(['queued', 'sent', 'failed'], { error: 'queued, sent or failed' })

export const Mail = z.strictObject({
  id: Id,
  kind: z.enum(mailKinds),
  to: z.string(),
  state: MailState,
  attempts: Count,
  /** The last answer of the mail server. */
  error: z.string().nullable(),
  createdAt: Time,
  nextTryAt: Time.nullable(),
  sentAt: Time.nullable(),
})
export type Mail = z.output<typeof Mail>
