/** A tenant's session by SSH or SFTP, as the root side sees it now. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Time } from '../answers.ts'

export const OpenSession = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  /** Name of its key; null when the tenant does not have that key any more. */
  key: z.string().nullable(),
  keyId: Id.nullable(),
  /** Address that it came from. */
  from: z.string().nullable(),
  openedAt: Time,
})
export type OpenSession = z.output<typeof OpenSession>
