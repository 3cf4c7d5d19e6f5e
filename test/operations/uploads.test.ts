/** The form that brings files, sent as browsers send it and as they do not. */
import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exampleInput } from '../../src/resources/index.ts'
import type { Answer } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { resetExampleSite } from './support/scripted-agent.ts'
import { until } from './support/test-panel.ts'
import { type World, world } from './support/world.ts'

let here: World
let domain: string
let token: string

beforeAll(async () => {
  here = await world({ registerPages: realPages })
  domain = String(exampleInput({ name: 'file.upload' }).domain)
  token = await here.admin.token()
})

afterAll(() => here.test.stop())

const boundary = '----geckoformboundary1234'
const field = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
const file = (name: string, text: string) =>
  `Content-Disposition: form-data; name="files"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n${text}`
const formOf = (parts: readonly string[]) =>
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`

async function send(
  parts: readonly string[],
  { path = '', body = formOf(parts), ...headers }: Record<string, string> = {},
): Promise<Answer> {
  return await here.admin.ask({
    method: 'POST',
    path: `/domains/${domain}/files/upload?path=${path}`,
    body,
    headers: {
      accept: 'text/html',
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
  })
}

async function texts(): Promise<Record<string, unknown>> {
  const { items = [] } = (await here.admin.call('GET', `/api/v1/domains/${domain}/files`)).json()
  const all: Record<string, unknown> = {}
  for (const { path } of items) {
    const entry = await here.admin.call(
      'GET',
      `/api/v1/domains/${domain}/files/entry?path=${encodeURIComponent(String(path))}`,
    )
    all[String(path)] = entry.json().text
  }
  return all
}

it('puts several files there, under the names that they have, and says so', async () => {
  const answer = await send([
    field('_csrf', token),
    file('a b%41ü\u202e.txt', 'one\r\n--not the end\r\n'),
    file('C:\\dir\\two.txt', ''),
    file('../up.txt', 'three'),
  ])
  const page = await here.admin.ask({ path: answer.headers.location ?? '' })

  expect([answer.status, answer.headers.location]).toEqual([303, `/domains/${domain}/files/in`])
  expect(page.text).toContain('Put there: a b%2541ü%E2%80%AE.txt, two.txt, up.txt.')
  expect(await texts()).toEqual({
    'a b%2541ü%E2%80%AE.txt': 'one\r\n--not the end\r\n',
    'index.html': '<h1>Bread</h1>\n',
    'two.txt': '',
    'up.txt': 'three',
  })
  resetExampleSite()
})

it('replaces nothing unless that is ticked, and tells which files came before the refused one', async () => {
  const refused = await send([
    field('_csrf', token),
    file('new', 'new'),
    file('index.html', 'x'),
    file('later', 'later'),
  ])
  const before = await texts()
  const ticked = await send([field('_csrf', token), field('replace', 'true'), file('index.html', 'x')])

  expect(refused.status).toBe(409)
  expect(refused.text).toContain('it is there already')
  expect(refused.text).toContain('Put there: new.')
  expect(before).toEqual({ 'index.html': '<h1>Bread</h1>\n', new: 'new' })
  expect([ticked.status, (await texts())['index.html']]).toEqual([303, 'x'])
  resetExampleSite()
})

it('takes nothing of a form that is forged, has no file, or is none', async () => {
  const [own, one] = [field('_csrf', token), file('one', 'one')]
  const whole = formOf([own, one])
  const statuses = [
    await send([field('_csrf', 'x'), one]),
    await send([one, own]),
    await send([one]),
    await send([own, one], { 'sec-fetch-site': 'cross-site' }),
    await send([own, one], { 'content-type': 'multipart/form-data' }),
    await send([], { body: whole.slice(0, whole.indexOf('one\r\n--') + 2) }),
    await send([], { body: '' }),
    await send([own]),
    await send([own, file('', '')]),
    await send([own, file('..', 'x')]),
    await send([own, one], { path: 'nowhere' }),
    await send([own, ...Array.from({ length: 21 }, (_, nth) => file(`index.html`, String(nth)))]),
  ].map(({ status }) => status)

  expect(statuses).toEqual([403, 400, 400, 403, 400, 400, 400, 422, 422, 422, 404, 409])
  expect(Object.keys(await texts())).toEqual(['index.html'])
})

it('is answered when much more comes behind what is refused', async () => {
  const [own, later] = [field('_csrf', token), file('later', 'x'.repeat(8_000_000))]

  const answer = await send([own, file('index.html', 'y'.repeat(1_000_000)), later])

  expect([answer.status, Object.keys(await texts())]).toEqual([409, ['index.html']])
  expect(answer.text).toContain('it is there already')
})

it('leaves nothing of a file whose browser goes away', async () => {
  const body = formOf([field('_csrf', token), file('half', 'x'.repeat(2_000_000))])
  const sent = request({
    port: here.test.panel.port,
    method: 'POST',
    path: `/domains/${domain}/files/upload`,
    headers: {
      cookie: `__Host-wcp=${here.admin.cookie}`,
      'sec-fetch-site': 'same-origin',
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': body.length,
    },
  })
  sent.on('error', () => {})
  const names = async () => Object.keys(await texts())
  sent.write(body.slice(0, 1_000_000))
  await until(async () => (await names()).some((name) => name.startsWith('.wcp-upload-')))
  sent.destroy()
  await until(async () => (await names()).length === 1)

  expect(await names()).toEqual(['index.html'])
})

it('takes files on this page alone, and as a form alone', async () => {
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'sec-fetch-site': 'same-origin' }
  const body = formOf([field('_csrf', token), file('one', 'one')])
  const elsewhere = await here.admin.ask({ method: 'POST', path: '/do/file.add', headers, body })
  const plain = await here.admin.form(`/domains/${domain}/files/upload`, { path: 'x' })

  expect([elsewhere.status, plain.status]).toEqual([400, 400])
  expect((await here.admin.ask({ path: `/do/file.upload?domain=${domain}` })).status).toBe(404)
  expect((await here.admin.ask({ path: `/domains/${domain}/files/upload` })).text).toContain('type="file"')
})
