/** A session: one browser in which somebody is signed in. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Time } from '../answers.ts'

export const secondFactors = ['none', 'totp', 'recovery', 'certificate'] as const
export type SecondFactor = (typeof secondFactors)[number]

export const Session = z.strictObject({
  id: Id,
  userId: Id,
  email: z.string(),
  createdAt: Time,
  seenAt: Time,
  /** Where it began. */
  ip: z.string(),
  /** The browser's User-Agent. */
  agent: z.string(),
  /** The second factor that was shown. */
  factor: z.enum(secondFactors),
})
export type Session = z.output<typeof Session>
