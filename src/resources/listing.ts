/** The common part of all lists: the inputs, and the page they answer. */
import { z } from 'zod'
import { Line } from '../contract/values.ts'
import { mostCounted } from '../lib/list-total.ts'

export const listInput = {
  cursor: z.string().max(600).optional().describe('Continue after the page whose nextCursor this is'),
  limit: z.coerce
    .number({ error: 'a number from 1 to 200' })
    .int({ error: 'a whole number from 1 to 200' })
    .min(1, { error: 'a number from 1 to 200' })
    .max(200, { error: 'a number from 1 to 200' })
    .default(50)
    .describe('Entries on one page, 1 to 200'),
}

/** Query strings and forms say it in words; JSON says it as a boolean. */
export const Flag = z.union([
  z.boolean(),
  z
    .enum(['true', 'false', '1', '0', 'on', 'off'], { error: 'true or false' })
    .transform((word) => ['true', '1', 'on'].includes(word)),
])

export const searchInput = {
  search: Line.max(253, { error: 'at most 253 characters' }).optional().describe('Text that the name holds'),
  total: Flag.default(false).describe(`Also count all that fit, up to ${mostCounted}; one more stands for more`),
}

export const listOrders = ['name', 'name-desc', 'newest', 'oldest'] as const
export type ListOrder = (typeof listOrders)[number]

/** For kinds that can be listed in another order than that of their names. */
export const sortInput = {
  sort: z
    .enum(listOrders, { error: `one of ${listOrders.join(', ')}` })
    .default('name')
    .describe('What comes first'),
}

export const deletedInput = {
  deleted: Flag.default(false).describe('Show what is in the trash instead of what is alive'),
}

/** One page of a list. `nextCursor` is null on the last one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable(), total: z.int().exactOptional() })
}

export interface Page<T> {
  readonly items: T[]
  readonly nextCursor: string | null
  /** Of all pages, as far as it was asked for and counted. */
  readonly total?: number
}

/** The query of a store's `list`; a missing key does not narrow. */
export interface ListQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly search?: string | undefined
  readonly status?: string | undefined
  readonly deleted?: boolean | undefined
  readonly total?: boolean | undefined
  readonly sort?: ListOrder | undefined
}
