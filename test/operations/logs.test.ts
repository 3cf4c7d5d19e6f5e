/** The web server's logs on their whole way: by the API, on the page of the site, and by the command, to whom they belong. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { panelClient } from '../../src/cli/client.ts'
import { runWords } from '../../src/cli/run-words.ts'
import { operations } from '../../src/resources/index.ts'
import { realPages } from './support/real-pages.ts'
import { until } from './support/test-panel.ts'
import { type World, world } from './support/world.ts'

let here: World
let minute = 0

beforeAll(async () => {
  here = await world({ registerPages: realPages })
  mkdirSync(here.test.webLogs)
})

afterAll(() => here.test.stop())

beforeEach(() => {
  minute = 0
  for (const name of ['access.log', 'error.log']) writeFileSync(join(here.test.webLogs, name), '')
})

/** Each a minute after the one before it. */
function request(over: Record<string, unknown> = {}): void {
  const time = new Date(Date.now() + ++minute * 60_000).toISOString().replace(/\.\d+Z$/, '+00:00')
  const said = {
    host: 'bakery.example.com',
    remote: '192.0.2.1',
    method: 'GET',
    uri: '/',
    protocol: 'HTTP/2.0',
    tls: '',
  }
  const counted = { status: 200, sent: 100, received: 9, seconds: 0.001, upstream: '', referer: '', agent: 'curl/8' }
  const line = { tenant: 'bakery', time, ...said, ...counted, ...over }
  appendFileSync(join(here.test.webLogs, 'access.log'), `${JSON.stringify(line)}\n`)
}

interface Logs {
  readonly items: { uri: string; status: number; text: string; level: string | null }[]
  readonly nextCursor: string | null
  readonly newest: string
  readonly dropped: number
}

async function logs(query = '', who: World['customer'] = here.customer): Promise<Logs> {
  const { status, text } = await who.call('GET', `/api/v1/domains/bakery.example.com/logs${query}`)
  expect(status, text).toBe(200)
  return JSON.parse(text)
}

const uris = ({ items }: Logs) => items.map(({ uri }) => uri)

it('shows the lines of the site alone, the newest first, in pages', async () => {
  for (const n of [1, 2, 3]) request({ uri: `/${n}` })
  request({ host: 'cakes.example.net', uri: '/of-another-site' })
  request({ tenant: 'butcher', uri: '/named-by-a-visitor-of-another-tenant' })

  const first = await logs('?limit=2')
  expect(uris(first)).toEqual(['/3', '/2'])
  expect(uris(await logs(`?limit=2&cursor=${first.nextCursor}`))).toEqual(['/1'])
  expect(uris(await logs())).toEqual(['/3', '/2', '/1'])
})

it('is nothing that another customer can find', async () => {
  request()

  for (const path of ['logs', 'logs/top', 'logs?errors=true'])
    expect((await here.stranger.call('GET', `/api/v1/domains/bakery.example.com/${path}`)).status).toBe(404)
})

it('leaves out what came before the site was made: another had the name then', async () => {
  request({ time: '2020-01-01T00:00:00+00:00', uri: '/of-who-had-it-before' })
  request({ uri: '/own' })

  expect(uris(await logs())).toEqual(['/own'])
})

it('narrows by status, address, visitor, text and time, and refuses what makes no sense by its name', async () => {
  request({ uri: '/shop/a', status: 404, remote: '2001:db8::1', agent: 'Crawler' })
  request({ uri: '/shop/b', status: 500 })
  request({ uri: '/c', status: 301 })

  expect(uris(await logs('?status=4xx'))).toEqual(['/shop/a'])
  expect(uris(await logs('?path=/shop/'))).toEqual(['/shop/b', '/shop/a'])
  expect(uris(await logs('?address=2001:db8::/32'))).toEqual(['/shop/a'])
  expect(uris(await logs('?search=crawler'))).toEqual(['/shop/a'])
  const since = new Date(Date.now() + 150_000).toISOString()
  expect(uris(await logs(`?since=${since}`))).toEqual(['/c'])
  expect(uris(await logs(`?until=${since}`))).toEqual(['/shop/b', '/shop/a'])
  for (const [wrong, field] of [
    ['status=6xx', 'status'],
    ['address=x', 'address'],
    ['since=yesterday', 'since'],
    ['cursor=../../etc', 'cursor'],
    ['errors=true&status=500', 'status'],
  ]) {
    const answer = await here.customer.call('GET', `/api/v1/domains/bakery.example.com/logs?${wrong}`)
    expect([answer.status, answer.json().fields?.map((one) => one.field)]).toEqual([expect.any(Number), [field]])
    expect(answer.status).toBeGreaterThanOrEqual(400)
  }
})

it('says how many lines were dropped, and shows errors', async () => {
  request({ uri: '/1' })
  const dropped = { tenant: 'bakery', time: new Date(Date.now() + 600_000).toISOString(), dropped: 12 }
  appendFileSync(join(here.test.webLogs, 'access.log'), `${JSON.stringify(dropped)}\n`)
  const at = new Date(Date.now() + 60_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const error = (tenant: string, text: string) =>
    `${tenant} ${day} ${clock} [error] 1#1: *2 ${text}, client: 192.0.2.9, server: _, request: "GET /x HTTP/1.1", host: "bakery.example.com"\n`
  writeFileSync(join(here.test.webLogs, 'error.log'), error('bakery', 'own') + error('butcher', 'theirs'))

  expect((await logs()).dropped).toBe(12)
  expect((await logs('?errors=true')).items).toMatchObject([{ text: 'own', level: 'error', uri: '/x' }])
})

it('counts what occurs most', async () => {
  for (const n of [1, 2, 3]) request({ uri: `/often?${n}`, status: 200, sent: 10 })
  request({ uri: '/once', status: 404, remote: '192.0.2.2', sent: 1 })
  request({ tenant: 'butcher', uri: '/theirs' })

  const { text } = await here.customer.call('GET', '/api/v1/domains/bakery.example.com/logs/top')

  expect(JSON.parse(text)).toMatchObject({
    requests: 4,
    sent: 31,
    paths: [
      { name: '/often', requests: 3, sent: 30 },
      { name: '/once', requests: 1, sent: 1 },
    ],
    statuses: [{ name: '200' }, { name: '404' }],
    addresses: [{ name: '192.0.2.1' }, { name: '192.0.2.2' }],
    isCut: false,
    dropped: 0,
  })
})

it('is on the page of the site, where nothing that strangers wrote does anything', async () => {
  for (let n = 0; n < 60; n++) request({ uri: `/${n}` })
  request({ uri: '/<script>alert(1)</script>\u202e', status: 500 })
  const read = async (path: string) => (await here.customer.ask({ path })).text

  const page = await read('/domains/bakery.example.com/logs')
  expect(page).toContain('/&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}')
  expect(page).not.toContain('<script')
  expect(page).not.toContain('\u202e')
  const next =
    /href="([^"]+)"[^>]*>Next/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? /rel="next" href="([^"]+)"/.exec(page)?.[1]
  expect(next).toContain('/domains/bakery.example.com/logs?cursor=')
  expect(await read(next ?? '')).toContain('GET /0<')
  expect(await read('/domains/bakery.example.com/logs?status=5xx')).not.toContain('GET /59<')
  expect(await read('/domains/bakery.example.com/top')).toContain('Addresses asked for')
})

it('is followed by the command, the oldest first, each line once', async () => {
  for (const n of [1, 2]) request({ uri: `/${n}` })
  const printed: string[] = []
  const out = () => printed.join('')
  const output = { out: (text: string) => void printed.push(text), err: () => {}, colour: false }
  const call = panelClient(here.test.panel.cliSocket)
  const ended = new AbortController()
  const terminal = {
    output,
    call: (one: Parameters<typeof call>[0]) => (ended.signal.aborted ? Promise.reject(new Error('ended')) : call(one)),
    ask: { text: async () => '', secret: async () => '', yes: async () => true },
    self: 'wcp',
    onInterrupt: () => {},
  }

  const following = runWords(['domain', 'logs', 'bakery.example.com', '-f'], operations, terminal)
  following.catch(() => {})
  await until(() => out().includes('/2'))
  request({ uri: '/3\u001b[2J' })
  await until(() => out().includes('/3'))
  ended.abort()
  await expect(following).rejects.toThrow('ended')

  const lines = out().trim().split('\n')
  expect(lines.map((line) => /GET (\S+)/.exec(line)?.[1])).toEqual(['/1', '/2', '/3\\u{1b}[2J'])
  expect(out()).not.toContain('\u001b')
})
