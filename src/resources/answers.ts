/** Shapes that operations of several kinds answer with. */
import { z } from 'zod'
import { Id } from '../contract/values.ts'

/** The row, and the job that will make it true on the machine. */
export const Accepted = z.strictObject({ id: Id, jobId: Id })

/** The same where the change may need nothing of the machine. */
export const AcceptedMaybe = z.strictObject({ id: Id, jobId: Id.nullable() })

export const Done = z.strictObject({ id: Id })

export const Time = z.iso.datetime()

export const timestamps = { createdAt: Time, updatedAt: Time, deletedAt: Time.nullable() }

export const Count = z.int().min(0)
