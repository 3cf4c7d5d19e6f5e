import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formatsModule from 'ajv-formats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { httpBinding } from '../../src/contract/operation.ts'
import { operations } from '../../src/resources/index.ts'
import { sshKey } from '../../src/resources/ssh-key/kind.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

const formats = formatsModule.default

interface Described {
  operationId: string
  parameters: { name: string; in: string; required?: boolean; schema: object; example: unknown }[]
  requestBody?: { content: Record<string, { schema: { properties: object }; example: Record<string, unknown> }> }
  responses: Record<string, { content?: Record<string, { schema: object; example: unknown }> }>
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

    const parameters = described?.parameters.filter((one) => one.in !== 'header').map(({ name }) => name) ?? []
    const body = Object.keys(described?.requestBody?.content['application/json']?.schema.properties ?? {})
    const plan = operation.effect === 'read' ? [] : ['plan']
    expect(described?.operationId).toBe(operation.name)
    expect([...parameters, ...body].sort()).toEqual([...Object.keys(operation.input.shape), ...plan].sort())
    expect(described?.parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(pathKeys)
    expect(Object.keys(described?.responses ?? {})).toEqual(expect.arrayContaining(['401', '403', '422']))
  }
})

it('shows an example for each operation that its own schemas take, and so does the operation', () => {
  const ajv = new Ajv2020({ strict: false, schemas: [{ ...document, $id: 'document' }] })
  formats(ajv)
  for (const operation of operations) {
    const { method, path } = httpBinding(operation)
    const described = document.paths[path]?.[method.toLowerCase()]
    const content = described?.requestBody?.content['application/json']
    const answers = Object.entries(described?.responses ?? {}).flatMap(([status, answer]) =>
      status.startsWith('2') ? Object.values(answer.content ?? {}) : [],
    )
    expect(answers.length, operation.name).toBeGreaterThan(0)
    for (const { schema, example } of [...(described?.parameters ?? []), ...(content ? [content] : []), ...answers]) {
      const isTaken = ajv.compile(pointingInto(schema))
      expect([operation.name, isTaken(example), isTaken.errors, example]).toEqual([operation.name, true, null, example])
    }
    const ofPath = described?.parameters.filter(({ in: where, required }) => where === 'path' || required) ?? []
    const input = { ...Object.fromEntries(ofPath.map(({ name, example }) => [name, example])), ...content?.example }
    expect([operation.name, operation.input.safeParse(input).error?.issues]).toEqual([operation.name, undefined])
  }
})

/** References of the document, resolved where they are looked up from. */
function pointingInto(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/'))
}

it('shows a body with every field that is required', () => {
  const create = document.paths['/users']?.post?.requestBody?.content['application/json']

  expect(Object.keys(create?.example ?? {}).sort()).toEqual(['email', 'password', 'role'])
})

it('shows what the kind of an operation says of it', () => {
  const create = document.paths['/ssh-keys']?.post?.requestBody?.content['application/json']

  expect(create?.example).toEqual(sshKey.examples?.create)
})
