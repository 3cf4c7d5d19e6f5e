import { expect, it } from 'vitest'
import { fieldNamed } from '../contract/fields.ts'
import { kinds } from './index.ts'

const named = kinds.flatMap(({ name, list, operations }) =>
  (list?.filters ?? []).map((filter) => ({ filter, list: `${name}.list`, operations: Object.values(operations) })),
)

it.each(named)('$list takes its filter $filter', ({ filter, list, operations }) => {
  const operation = operations.find(({ name }) => name === list)

  expect(operation && fieldNamed(operation.input, filter)).toBeDefined()
})
