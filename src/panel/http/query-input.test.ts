import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queryReader } from './query-input.ts'

const read = queryReader(() =>
  z.strictObject({
    limit: z.int().min(1).default(50),
    deleted: z.boolean().optional(),
    search: z.string().optional(),
    status: z.enum(['active', 'error']).optional(),
    tag: z.array(z.string()).optional(),
  }),
)
const values = (query: string) => ({ ...read(new URLSearchParams(query)) })

describe('queryReader', () => {
  it('reads numbers, booleans, words and lists by the schema', () => {
    expect(values('limit=10&deleted=true&search=5&status=active&tag=a')).toEqual({
      limit: 10,
      deleted: true,
      search: '5',
      status: 'active',
      tag: ['a'],
    })
  })

  it.each([
    ['limit=1e3', { limit: '1e3' }],
    ['limit=', { limit: '' }],
    ['limit=0x10', { limit: '0x10' }],
    ['deleted=yes', { deleted: 'yes' }],
    ['search=a&search=b', { search: ['a', 'b'] }],
    ['unknown=1', { unknown: '1' }],
  ])('leaves %s for the schema to refuse', (query, expected) => {
    expect(values(query)).toEqual(expected)
  })

  it('never touches the prototype', () => {
    expect(Object.getPrototypeOf(read(new URLSearchParams('__proto__=x')))).toBe(null)
  })
})
