/** A client that a public library makes out of the OpenAPI document, against the panel that serves it. */
import { type Document, type OpenAPIClient, OpenAPIClientAxios } from 'openapi-client-axios'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { httpBinding } from '../../src/contract/operation.ts'
import { operations } from '../../src/resources/index.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let client: OpenAPIClient

beforeAll(async () => {
  test = await testPanel()
  const admin = { email: 'admin@example.com', password, role: 'system_admin' }
  await test.root('POST', '/api/v1/users', admin)
  const scopes = operations.flatMap(({ name, policy }) => (policy.isSensitive ? [] : [name]))
  const made = await test.root('POST', '/api/v1/users/admin@example.com/api-keys', { name: 'client', scopes })
  const headers = { authorization: `Bearer ${made.json().token}` }
  const definition = (await test.root('GET', '/api/v1/openapi.json')).json() as unknown as Document
  const api = new OpenAPIClientAxios({
    definition,
    withServer: { url: `http://127.0.0.1:${test.panel.port}/api/v1` },
    axiosConfigDefaults: { headers, validateStatus: null },
  })
  client = await api.init()
})

afterAll(() => test.stop())

/** The client's method of an operation. */
function call(name: string) {
  const method = client[name]
  if (method === undefined) throw new Error(`the client has no method "${name}"`)
  return method
}

it('has a method for every operation, which reaches the route of that operation', async () => {
  for (const operation of operations) {
    const { pathKeys, method } = httpBinding(operation)
    const nowhere = Object.fromEntries(pathKeys.map((key) => [key, '00000000-0000-4000-8000-000000000000']))
    const request = client.api.getAxiosConfigForOperation(operation.name, [nowhere])

    expect([request.method, call(operation.name)]).toEqual([method.toLowerCase(), expect.any(Function)])
    // Without fields, so that nothing is made: refused as the operation is, and by nothing before it.
    const { status, data } = await call(operation.name)(nowhere, method === 'GET' ? undefined : { surprise: 1 })
    if (method !== 'GET' && method !== 'DELETE')
      expect([operation.name, [403, 422]]).toEqual([operation.name, expect.arrayContaining([status])])
    if (status >= 400) expect(data.title, operation.name).toMatch(/^Cannot /)
    expect(data.code, operation.name).not.toBe('wrong_method')
  }
})

it('makes, reads, changes and deletes things', async () => {
  const made = await call('package.create')({}, { name: 'basic', memMb: 512 })
  const tenant = await call('tenant.create')({}, { name: 'bakery' }, { headers: { 'idempotency-key': 'k1' } })
  const again = await call('tenant.create')({}, { name: 'bakery' }, { headers: { 'idempotency-key': 'k1' } })

  expect([made.status, tenant.status, again.status]).toEqual([201, 202, 202])
  expect(again.data).toEqual(tenant.data)
  const job = await until(async () => {
    const { data } = await call('job.get')({ job: tenant.data.jobId })
    return data.state === 'succeeded' && data
  })
  expect(job.type).toBe('tenant.create')
  expect((await call('tenant.list')({ search: 'bak', limit: 5 })).data.items).toMatchObject([{ name: 'bakery' }])
  const read = await call('package.get')({ package: 'basic' })
  const match = { headers: { 'if-match': String(read.headers.etag) } }
  expect((await call('package.update')({ package: 'basic' }, { memMb: 1024 }, match)).status).toBeLessThan(300)
  expect((await call('package.update')({ package: 'basic' }, { memMb: 256 }, match)).status).toBe(412)
  expect((await call('tenant.delete')({ tenant: 'bakery', plan: '1' })).data).toHaveProperty('plan')
})
