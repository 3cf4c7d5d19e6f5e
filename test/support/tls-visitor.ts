/** A browser with or without a certificate, at one port of the panel. */
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect, type SecureVersion } from 'node:tls'

export interface KeyPair {
  readonly cert: string
  readonly key: string
}

interface Page {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
  json(): Record<string, unknown>
}

export class TlsVisitor {
  /** As it is sent: `name=value`. */
  cookie = ''
  readonly #port: number
  readonly #pair: KeyPair | undefined
  readonly #agent: Agent | false

  constructor(port: number, pair?: KeyPair, isKept = false) {
    this.#port = port
    this.#pair = pair
    this.#agent = isKept && new Agent({ keepAlive: true, maxSockets: 1 })
  }

  page(path: string): Promise<Page> {
    return this.#ask('GET', path, { accept: 'text/html' })
  }

  /** @param from the page with the form; its own address unless told */
  async form(path: string, fields: Record<string, string>, from = path): Promise<Page> {
    const body = new URLSearchParams({ _csrf: await this.#token(from), ...fields }).toString()
    const type = 'application/x-www-form-urlencoded'
    return await this.#ask('POST', path, { accept: 'text/html', 'content-type': type }, body)
  }

  async call(method: string, path: string, body?: object): Promise<Page> {
    const token = method === 'GET' ? {} : { 'x-csrf-token': await this.#token('/account/second-factor') }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    return await this.#ask(method, path, { ...token, ...type }, body && JSON.stringify(body))
  }

  /** What a program on another machine sends. */
  program(method: string, path: string, { token, body }: { token?: string; body?: object }): Promise<Page> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const headers = { ...type, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
    return this.#ask(method, path, headers, body && JSON.stringify(body))
  }

  close(): void {
    if (this.#agent) this.#agent.destroy()
  }

  async #token(path: string): Promise<string> {
    return /name="_csrf" value="([^"]+)"/.exec((await this.page(path)).body)?.[1] ?? ''
  }

  #ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Page> {
    const { promise, resolve, reject } = Promise.withResolvers<Page>()
    const options = {
      ...{ host: '127.0.0.1', port: this.#port, method, path, rejectUnauthorized: false, agent: this.#agent },
      ...this.#pair,
      headers: {
        ...headers,
        'sec-fetch-site': 'same-origin',
        ...(this.cookie !== '' && { cookie: this.cookie }),
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
    }
    const sent = request(options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      answer.on('error', reject).on('end', () => {
        const given = answer.headers['set-cookie']?.[0]?.split(';')[0]
        if (given !== undefined) this.cookie = given.endsWith('=') ? '' : given
        const { statusCode: status = 0, headers } = answer
        resolve({ status, location: headers.location, body: text, json: () => JSON.parse(text) })
      })
    })
    sent.on('error', reject).end(body)
    return promise
  }
}

/** Shows a certificate, keeps what the server gives to resume the session, and comes back with that alone. */
export async function resumedPage(port: number, pair: KeyPair, maxVersion: SecureVersion, cookie: string) {
  const common = { host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion }
  const first = connect({ ...common, ...pair })
  const given: Buffer[] = []
  first.on('session', (session) => given.push(session))
  await once(first, 'secureConnect')
  first.write(requestFor(port, cookie))
  const before = await statusOf(first)
  if (before !== 200) throw new Error(`the page was to be shown to who has the certificate, and answered ${before}`)

  const session = given.at(-1)
  const second = connect({ ...common, ...(session && { session }) })
  await once(second, 'secureConnect')
  const isReused = second.isSessionReused()
  second.write(requestFor(port, cookie))
  return { isReused, status: await statusOf(second) }
}

function requestFor(port: number, cookie: string): string {
  const headers = [`Host: 127.0.0.1:${port}`, `Cookie: ${cookie}`, 'Accept: text/html', 'Connection: close']
  return ['GET / HTTP/1.1', ...headers, '', ''].join('\r\n')
}

async function statusOf(socket: ReturnType<typeof connect>): Promise<number> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
}
