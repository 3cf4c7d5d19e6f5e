/** An API key: what a program shows to act for its owner, within the operations that it names. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { canonicalRange } from '../../lib/address-range.ts'
import { Time } from '../answers.ts'
import { Permission } from '../role/schema.ts'

export const ApiKeyName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,39}$/, {
    error: '2 to 40 characters: a lower-case letter, then lower-case letters, digits, hyphens and underscores',
  })
  .describe('Name of the key: what uses it')

export const ApiKeyRef = z
  .union([Id, ApiKeyName], { error: 'the id of an API key, or the name of one of your own' })
  .describe('API key, by id, or one of your own by its name')

export const Scopes = z
  .array(Permission, { error: 'a list of operations such as domain.list' })
  .min(1, { error: 'at least one operation' })
  .max(200, { error: 'at most 200 operations' })
  .describe('Operations that it may be used for')

const aRange = 'an address or a range such as 203.0.113.0/24'

/** As people write it; comes out in its one writing, so that none is there twice. */
const AddressRange = z
  .string()
  .max(50, { error: aRange })
  .transform((text, context) => {
    const read = canonicalRange(text)
    if ('range' in read) return read.range
    context.addIssue({ code: 'custom', message: aRange, params: { problem: read.problem }, input: text })
    return z.NEVER
  })

export const AddressRanges = z
  .array(AddressRange, {
    error: 'a list of addresses and ranges such as 203.0.113.0/24',
  })
  .max(50, { error: 'at most 50 ranges' })
  .describe('Addresses and ranges that it may be used from; none for everywhere')

export const ApiKey = z.strictObject({
  id: Id,
  name: ApiKeyName,
  userId: Id,
  email: z.string(),
  /** Its first letters. */
  beginning: z.string(),
  /** Signs requests; is never sent. */
  isSigned: z.boolean(),
  scopes: z.array(z.string()),
  addresses: z.array(z.string()),
  status: z.enum(['active', 'expired', 'deleted']),
  createdAt: Time,
  expiresAt: Time,
  /** To the minute. */
  lastUsedAt: Time.nullable(),
  /** In the trash it opens nothing. */
  deletedAt: Time.nullable(),
})
export type ApiKey = z.output<typeof ApiKey>
