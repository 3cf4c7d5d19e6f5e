/** An API key: what a program shows to act for its owner, within the operations that it names. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
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
