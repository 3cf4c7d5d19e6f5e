import { expect, it } from 'vitest'
import { z } from 'zod'
import { operationsFor } from './operation.ts'

it('makes the schemas of an operation once, when they are first asked for', () => {
  const made: string[] = []
  const operation = operationsFor<never>()({
    name: 'box.list',
    summary: 'List boxes',
    effect: 'read',
    policy: { scopes: ['global'] },
    http: 'GET /boxes',
    positional: [],
    input() {
      made.push('input')
      return z.strictObject({ name: z.string() })
    },
    output() {
      made.push('output')
      return z.strictObject({})
    },
    run: async () => ({}),
  })

  expect(made).toEqual([])
  expect(operation.fields.map(({ name }) => name)).toEqual(['name'])
  expect([operation.input, made]).toEqual([operation.input, ['input']])
})
