/** Requests that no operation takes: each is answered as the OpenAPI document says, whichever operation it was for. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { httpBinding } from '../../src/contract/operation.ts'
import { operations } from '../../src/resources/index.ts'
import { ask, type Browser } from './support/client.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel
let admin: Browser
let documented: Record<string, Record<string, { responses: Record<string, unknown> }>>

beforeAll(async () => {
  test = await testPanel({ config: 'base_url: https://panel.example.com' })
  admin = await test.administrator('admin@example.com')
  documented = (await test.root('GET', '/api/v1/openapi.json')).json().paths as typeof documented
})

afterAll(() => test.stop())

const json = { 'content-type': 'application/json' }
/** The body of a GET is not even read. */
interface Expected {
  readonly others: number
  readonly get: number
}
const always = (status: number): Expected => ({ others: status, get: status })
const requests: readonly (readonly [name: string, Expected, headers: object, body: string, query: string])[] = [
  ['malformed JSON, or a body where none belongs', always(400), json, '{"a":', ''],
  ['a body of 300 KB', { others: 413, get: 400 }, json, `{"a":"${'x'.repeat(300_000)}"}`, ''],
  ['an address of 70 KB', always(431), {}, '', `?a=${'x'.repeat(70_000)}`],
  ['another type', always(400), { 'content-type': 'text/plain' }, 'x', ''],
  ['another host', always(421), { host: 'evil.example' }, '', ''],
]

it.each(requests)('%s is a documented refusal of every operation', async (_, expected, headers, body, more) => {
  for (const operation of operations) {
    const { method, path } = httpBinding(operation)
    const address = `/api/v1${path.replaceAll(/\{\w+\}/g, 'x')}${more}`

    const { status } = await ask({ port: test.panel.port }, await signed({ method, path: address, headers, body }))

    expect([operation.name, status]).toEqual([operation.name, method === 'GET' ? expected.get : expected.others])
    expect(Object.keys(documented[path]?.[method.toLowerCase()]?.responses ?? {})).toContain(String(status))
  }
})

async function signed({ headers, ...asked }: { method: string; path: string; headers: object; body: string }) {
  const own = {
    cookie: `__Host-wcp=${admin.cookie}`,
    'x-csrf-token': await admin.token(),
    'sec-fetch-site': 'same-origin',
  }
  return { ...asked, headers: { ...own, ...headers } }
}
