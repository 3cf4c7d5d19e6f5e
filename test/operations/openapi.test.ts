import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { httpBinding } from '../../src/contract/operation.ts'
import { operations } from '../../src/resources/index.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

interface Described {
  operationId: string
  parameters: { name: string; in: string; required?: boolean }[]
  requestBody?: { content: Record<string, { schema: { properties: object }; example: Record<string, unknown> }> }
  responses: Record<string, unknown>
}

let test: TestPanel
let document: { openapi: string; paths: Record<string, Record<string, Described>> }

beforeAll(async () => {
  test = await testPanel()
  document = (await test.root('GET', '/api/v1/openapi.json')).json() as never
})

afterAll(() => test.stop())

it('is valid by a public validator of OpenAPI 3.1', async () => {
  const validator = new Validator()

  const result = await validator.validate(structuredClone(document))

  expect(result.errors).toBeUndefined()
  expect([result.valid, validator.version]).toEqual([true, '3.1'])
})

it('describes each operation once, with all its fields', () => {
  for (const operation of operations) {
    const { method, path, pathKeys } = httpBinding(operation)
    const described = document.paths[path]?.[method.toLowerCase()]

    const parameters = described?.parameters.map(({ name }) => name) ?? []
    const body = Object.keys(described?.requestBody?.content['application/json']?.schema.properties ?? {})
    const plan = operation.effect === 'machine' ? ['plan'] : []
    expect(described?.operationId).toBe(operation.name)
    expect([...parameters, ...body].sort()).toEqual([...Object.keys(operation.input.shape), ...plan].sort())
    expect(described?.parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(pathKeys)
    expect(Object.keys(described?.responses ?? {})).toEqual(expect.arrayContaining(['401', '403', '422']))
  }
})

it('shows a body with every field that is required', () => {
  const create = document.paths['/users']?.post?.requestBody?.content['application/json']

  expect(Object.keys(create?.example ?? {}).sort()).toEqual(['email', 'password', 'role'])
})
