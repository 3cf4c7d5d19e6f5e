/** An HTTP client that sends exactly what the test says, and keeps a cookie as a browser would. */
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; throws when it is none. */
  json(): Record<string, unknown> & { fields?: { field: string }[]; items?: Record<string, unknown>[] }
}

export interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown
}

/** `tls`: whoever the certificate is from; with a certificate of its own to show. `from`: the address of loopback to come from. */
export type Where =
  | { readonly port: number; readonly tls?: true | Pair; readonly from?: string }
  | { readonly socketPath: string }

/** PEM. */
export interface Pair {
  readonly key: string
  readonly cert: string
}

export async function ask(where: Where, { method = 'GET', path, headers = {}, body }: Ask): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
  const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  const request = start(where, { method, path, agent: false, headers: { ...type, ...length, ...headers } })
  const answered = once(request, 'response')
  request.end(text)
  const [response] = await answered
  let content = ''
  response.setEncoding('utf8')
  for await (const chunk of response) content += chunk
  return { status: response.statusCode, headers: response.headers, text: content, json: () => JSON.parse(content) }
}

function start(where: Where, options: RequestOptions): ClientRequest {
  if ('socketPath' in where) return httpRequest({ ...where, ...options })
  const target = { host: '127.0.0.1', port: where.port, ...(where.from && { localAddress: where.from }) }
  const shown = where.tls === true ? {} : where.tls
  if (where.tls) return httpsRequest({ ...target, rejectUnauthorized: false, ...shown, ...options })
  return httpRequest({ ...target, ...options })
}

/** Sends bytes and returns everything that comes back until the other side closes. */
export async function askRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(bytes)
  let content = ''
  socket.setEncoding('utf8')
  for await (const chunk of socket) content += chunk
  return content
}

export class Browser {
  cookie: string | null = null
  /** An API key, for a program instead of a browser. */
  key: string | null = null
  readonly where: Where
  /** Asked for once: it is the same as long as the cookie is. */
  #token: { readonly cookie: string | null; readonly value: string } | null = null

  constructor(where: Where) {
    this.where = where
  }

  async ask(asked: Ask): Promise<Answer> {
    const cookie = this.cookie === null ? {} : { cookie: `__Host-wcp=${this.cookie}` }
    const answer = await ask(this.where, { ...asked, headers: { ...cookie, ...asked.headers } })
    const [, value] = /^__Host-wcp=([^;]*)/.exec(answer.headers['set-cookie']?.[0] ?? '') ?? []
    if (value !== undefined) this.cookie = value === '' ? null : value
    return answer
  }

  /** What a form of this panel would send; `token` stands for its hidden field. */
  async form(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams({ _csrf: await this.token(), ...fields }).toString()
    const type = 'application/x-www-form-urlencoded'
    return await this.ask({
      method: 'POST',
      path,
      body,
      headers: { 'content-type': type, 'sec-fetch-site': 'same-origin', ...headers },
    })
  }

  /** What a browser sends of a form with a file. */
  async upload(path: string, file: { name: string; text: string }, headers: Record<string, string> = {}) {
    const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW'
    const part = (head: string, text: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`
    const parts = [
      part('name="_csrf"', await this.token()),
      part(`name="files"; filename="${file.name}"\r\nContent-Type: image/jpeg`, file.text),
    ]
    const type = `multipart/form-data; boundary=${boundary}`
    return await this.ask({
      method: 'POST',
      path,
      body: `${parts.join('')}--${boundary}--\r\n`,
      headers: { 'content-type': type, 'sec-fetch-site': 'same-origin', ...headers },
    })
  }

  async token(): Promise<string> {
    if (this.cookie !== null && this.#token?.cookie === this.cookie) return this.#token.value
    const { text: value } = await this.ask({ path: '/assets/token' })
    this.#token = { cookie: this.cookie, value }
    return value
  }

  async signIn(email: string, password: string): Promise<Answer> {
    return await this.form('/login', { email, password })
  }

  /** A REST call with the session's cookie and token, or with the key. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers =
      this.key !== null
        ? { authorization: `Bearer ${this.key}` }
        : method === 'GET'
          ? {}
          : { 'x-csrf-token': await this.token(), 'sec-fetch-site': 'same-origin' }
    return await this.ask({ method, path, headers, ...(body !== undefined && { body }) })
  }
}
