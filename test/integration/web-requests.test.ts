/** Requests as browsers, authorities and applications make them, each of which was answered wrongly once. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { ask, httpPort, httpsPort, WebMachine } from './web-machine.ts'

const host = 'shop.example.com'
const other = 'other.example.com'
const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'
const challenge = `/.well-known/acme-challenge/${token}`

let machine: WebMachine
let acme: FpmStart
let docroot: string

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  docroot = machine.addSite(acme, host, {
    'index.php': '<?php echo "front of ", $_SERVER["REQUEST_URI"];',
    'a.txt': 'plain text',
    'app.mjs': 'export {}',
    'events.php': `<?php header('Content-Type: text/event-stream'); while (ob_get_level()) ob_end_flush(); // as Debian's php.ini begins one
      for ($n = 0; $n < 3; $n++) { echo "data: $n\\n\\n"; flush(); usleep(400_000); }`,
    'mail.php': `<?php error_reporting(0); echo json_encode([mail('a@example.com', 's', 'b'), error_get_last()['message'] ?? null]);`,
  })
  machine.addSite(acme, other, { 'index.html': 'the other site' })
})

afterAll(async () => {
  await machine?.shutDown()
})

describe('a name in capitals', () => {
  it.each([['SHOP.EXAMPLE.COM'], ['Shop.Example.com'], ['shop.example.coM']])('%s is the site', async (servername) => {
    expect(await overTls(servername, host, '/a.txt')).toEqual([200, 'plain text'])
  })

  it('stays nothing where it is the name of no site', async () => {
    await expect(overTls('SHOP.EXAMPLE.ORG', host, '/a.txt')).rejects.toThrow(/alert/)
    await expect(overTls('..SHOP', host, '/a.txt')).rejects.toThrow(/alert/)
  })
})

describe('a connection that was made for another name', () => {
  it('is answered 421, and the right one by the site', async () => {
    expect(await overTls(other, host, '/a.txt')).toEqual([421, expect.any(String)])
    expect(await overTls(other, other, '/')).toEqual([200, 'the other site'])
  })

  it('is answered 421 over HTTP/2 too, stream by stream', async () => {
    const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { servername: other, rejectUnauthorized: false })
    const statuses = await Promise.all(
      [host, other, host].map(async (authority) => {
        const stream = session.request({ ':path': '/', ':authority': authority })
        stream.resume()
        const { promise, resolve } = Promise.withResolvers<unknown>()
        stream.once('response', (headers) => resolve(headers[':status']))
        return await promise
      }),
    )
    session.close()

    expect(statuses).toEqual([421, 200, 421])
  })
})

it('takes as long an address without TLS as with it', async () => {
  const path = `/a.txt?${'x'.repeat(9000)}`

  expect((await ask(host, path)).status).toBe(200)
  expect(await overTls(host, host, path)).toEqual([200, 'plain text'])
})

describe('the proof that a certification authority asks for', () => {
  const proof = () => join(machine.places.web.challenges, token)

  it("is the machine's, also while the site is suspended, and nothing else of it is", async () => {
    mkdirSync(machine.places.web.challenges, { mode: 0o711, recursive: true })
    writeFileSync(proof(), `${token}.thumbprint`, { mode: 0o644 })
    const live = join(machine.places.web.hosts, host, 'live')
    const isLive = await ask(host, challenge)
    rmSync(live)

    const answers = [await ask(host, challenge), await ask(host, '/a.txt'), await ask(host, `${challenge}x`)]
    machine.link(0, '../../live', live)

    expect([isLive.status, isLive.body]).toEqual([200, `${token}.thumbprint`])
    expect(answers.map(({ status }) => status)).toEqual([200, 503, 404])
    expect(answers[0]?.body).toBe(`${token}.thumbprint`)
    expect(answers[0]?.headers['content-type']).toBe('text/plain')
    rmSync(proof())
  })

  it("is the site's own where the machine has none, and not to be led astray", async () => {
    machine.write(acme, join(docroot, '.well-known/acme-challenge', token), 'own proof')

    expect(await ask(host, challenge)).toMatchObject({ status: 200, body: 'own proof' })
    expect((await ask(host, '/.well-known/acme-challenge/../../a.txt')).body).toBe('plain text')
    expect((await ask(host, '/.well-known/acme-challenge/')).status).toBe(404)
    expect((await ask('unknown.example.com', challenge).catch(() => ({ status: 0 }))).status).toBe(0)
  })
})

it.each(['phtml', 'phar', 'phps', 'php5', 'php7', 'pht', 'PHP', 'PhTmL'])(
  'never sends the source of a .%s',
  async (ending) => {
    machine.write(acme, join(docroot, `t.${ending}`), '<?php $password = "secret";')

    const answer = await ask(host, `/t.${ending}?x=1`)

    expect(answer.body).toBe(`front of /t.${ending}?x=1`)
  },
)

it.each([
  ['app.mjs', 'text/javascript'],
  ['app.js', 'text/javascript'],
  ['a.webmanifest', 'application/manifest+json'],
  ['a.wasm', 'application/wasm'],
  ['a.avif', 'image/avif'],
  ['a.ico', 'image/vnd.microsoft.icon'],
  ['a.xyz', 'application/octet-stream'],
])('%s is sent as %s', async (file, type) => {
  machine.write(acme, join(docroot, file), 'x')

  expect((await ask(host, `/${file}`)).headers['content-type']).toBe(type)
})

describe('what PHP flushes', () => {
  const accept = { accept: 'text/event-stream' }
  it.each([
    ['HTTP/1.1', {}],
    ['HTTP/1.1 with TLS', accept],
    ['HTTP/2', {}],
    ['HTTP/2', accept],
  ])('comes at once, over %s and asked for by %j, asleep or awake', async (protocol, headers) => {
    await machine.services.stopFpm(acme.name)
    for (const mostMs of [Number.POSITIVE_INFINITY, 300]) {
      const began = performance.now()

      const came = await over[protocol]?.('/events.php', headers)

      expect(came?.[0]?.text).toBe('data: 0\n\n')
      expect(came?.map(({ text }) => text).join('')).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n')
      expect(came?.length).toBe(3)
      expect((came?.[0]?.at ?? 0) - began).toBeLessThan(mostMs)
    }
  })
})

it('tells an application why mail() fails', async () => {
  expect(JSON.parse((await ask(host, '/mail.php')).body)).toEqual([
    false,
    expect.stringMatching(/sending of mail is not set up on this server/),
  ])
})

interface Arrival {
  readonly at: number
  readonly text: string
}

type Get = (path: string, headers: Readonly<Record<string, string>>) => Promise<readonly Arrival[]>

const over: Readonly<Record<string, Get>> = {
  'HTTP/1.1': (path, headers) =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: httpPort, path, agent: false, headers: { host, ...headers } }
      request(options, (response) => resolve(arrivals(response)))
        .on('error', reject)
        .end()
    }),
  'HTTP/1.1 with TLS': (path, headers) =>
    new Promise((resolve, reject) => {
      const tls = { servername: host, rejectUnauthorized: false }
      const options = { host: '127.0.0.1', port: httpsPort, path, agent: false, headers: { host, ...headers }, ...tls }
      httpsRequest(options, (response) => resolve(arrivals(response)))
        .on('error', reject)
        .end()
    }),
  async 'HTTP/2'(path, headers) {
    const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { servername: host, rejectUnauthorized: false })
    const came = await arrivals(session.request({ ':path': path, ':authority': host, ...headers }))
    session.close()
    return came
  },
}

async function arrivals(stream: AsyncIterable<Buffer>): Promise<readonly Arrival[]> {
  const came: Arrival[] = []
  for await (const chunk of stream) came.push({ at: performance.now(), text: chunk.toString() })
  return came
}

function overTls(servername: string, asked: string, path: string): Promise<[status: number, body: string]> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port: httpsPort, servername, rejectUnauthorized: false })
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('secureConnect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${asked}\r\nConnection: close\r\n\r\n`),
    )
    socket.on('error', reject)
    socket.on('close', () => resolve([Number(text.split(' ')[1]), text.split('\r\n\r\n')[1] ?? '']))
  })
}

describe('an application below another', () => {
  const front = (name: string) => `<?php echo "${name} ", $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['REQUEST_URI'];`

  beforeAll(() => {
    machine.addSite(acme, 'two.example.com', {
      'index.php': front('shop'),
      'blog/index.php': front('blog'),
      'a/x.txt': '',
      'a/b/x.txt': '',
      'a/b/c/x.txt': '',
      'a/b/c/wiki/index.php': front('wiki'),
      'odd ?name/index.php': front('odd'),
      'plain/index.html': 'plain',
      'plain/empty/x.txt': 'x',
    })
  })

  it.each([
    ['/blog/2026/11/hello-world/', 'blog /blog/index.php'],
    ['/blog/hello?p=1', 'blog /blog/index.php'],
    ['/blog/', 'blog /blog/index.php'],
    ['/a/b/c/wiki/some/page', 'wiki /a/b/c/wiki/index.php'],
    ['/a/b/none', 'shop /index.php'],
    ['/blogs/x', 'shop /index.php'],
    ['/pretty/link/', 'shop /index.php'],
    ['/', 'shop /index.php'],
    ['/odd%20%3Fname/x', 'odd /odd ?name/index.php'],
  ])('%s is answered by the nearest one above', async (path, script) => {
    expect(await ask('two.example.com', path)).toMatchObject({ status: 200, body: `${script} ${path}` })
  })

  it.each([
    ['/plain/', 200, 'plain'],
    ['/plain/empty/', 403, undefined],
  ])('%s is what a directory without a script has', async (path, status, body) => {
    const answer = await ask('two.example.com', path)

    expect(answer.status).toBe(status)
    if (body !== undefined) expect(answer.body).toBe(body)
  })
})

describe('files as tenants leave them', () => {
  it('runs a script that only its owner may read, as a file and as what a directory has', async () => {
    const own = machine.addSite(acme, 'own.example.com', {
      'index.php': '<?php echo "front";',
      'x.php': '<?php echo "ran";',
    })
    for (const name of ['index.php', 'x.php']) chmodSync(join(own, name), 0o600)

    expect((await ask('own.example.com', '/x.php')).body).toBe('ran')
    expect((await ask('own.example.com', '/')).body).toBe('front')
    expect((await ask('own.example.com', '/pretty')).body).toBe('front')
  })
})
