/** A person with a browser, as far as HTTP goes: cookies, forms, redirects; no scripts. */
import { request as requestPlain } from 'node:http'
import { Agent, request as requestTls } from 'node:https'

export interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

export class Visitor {
  readonly #base: URL
  readonly #host: string
  readonly #cookies = new Map<string, string>()
  /** A handshake is the dearest part of a request to an emulated machine. */
  readonly #connections = new Agent({ keepAlive: true, timeout: 4_000 })
  #token: string | undefined

  /** @param base where the server answers, @param host the name people would have typed. Certificates are not checked. */
  constructor(base: string, host: string) {
    this.#base = new URL(base)
    this.#host = host
  }

  /** Follows redirects; anything but 200 at the end is an error. */
  async get(target: string): Promise<string> {
    const { status, text } = await this.#follow(await this.send('GET', target))
    if (status !== 200) throw new Error(`GET ${target} answered ${status}: ${text}`)
    return text
  }

  /** Sends the form's own hidden fields with the given ones, and follows to where it leads. */
  async submit(html: string, action: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const { status, text } = await this.#follow(
      await this.send('POST', action, { ...hiddenFields(html, action), ...fields }),
    )
    if (status >= 400) throw new Error(`POST ${action} answered ${status}: ${text}`)
    return text
  }

  async send(method: 'GET' | 'POST', target: string, fields?: Readonly<Record<string, string>>): Promise<Answer> {
    if (fields === undefined) return await this.#ask(method, target)
    const text = new URLSearchParams(fields).toString()
    return await this.#ask(method, target, { type: 'application/x-www-form-urlencoded', text })
  }

  /** A call of the REST interface, as the panel's own pages make it: below `/api/v1`, by the session's cookie. */
  async api(method: string, target: string, json?: Readonly<Record<string, unknown>>): Promise<Answer> {
    const content = json && { type: 'application/json', text: JSON.stringify(json) }
    return await this.#ask(method, `/api/v1${target}`, content, { 'x-csrf-token': await this.#formToken() })
  }

  async #formToken(): Promise<string> {
    this.#token ??= /name="_csrf" value="([^"]*)"/.exec(await this.get('/account'))?.[1]
    if (this.#token === undefined) throw new Error('the account page has no form')
    return this.#token
  }

  #ask(
    method: string,
    target: string,
    content?: { readonly type: string; readonly text: string },
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = {
      ...more,
      host: this.#host,
      'sec-fetch-site': 'same-origin',
      origin: `${this.#base.protocol}//${this.#host}`,
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(content && {
        'content-type': content.type,
        'content-length': String(Buffer.byteLength(content.text)),
      }),
    }
    const isTls = this.#base.protocol === 'https:'
    const options = {
      method,
      headers,
      agent: isTls ? this.#connections : undefined,
      timeout: 120_000,
      rejectUnauthorized: false,
    }
    const request = isTls ? requestTls : requestPlain
    const sent = request(new URL(target, this.#base), options, (response) => {
      for (const line of response.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        this.#cookies.set(name, value)
        this.#token = undefined // it belongs to the cookie
      }
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject) // cut off in the middle
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, text })
      })
    })
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${target} did not answer in time`)))
    sent.on('error', reject)
    sent.end(content?.text)
    return promise
  }

  async #follow(answer: Answer): Promise<Answer> {
    for (let hops = 0; answer.status >= 300 && answer.status < 400 && hops < 10; hops++) {
      const { pathname, search } = new URL(answer.location ?? '/', this.#base)
      answer = await this.send('GET', pathname + search)
    }
    return answer
  }
}

/** Hidden fields of the form with that action; of the whole page where no form has it. */
function hiddenFields(html: string, action: string): Record<string, string> {
  const form = html.split('<form').find((part) => part.includes(`action="${action}"`)) ?? html
  const inputs = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, value]))
}
