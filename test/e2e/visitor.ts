/** A person with a browser, as far as HTTP goes: cookies, forms, redirects; no scripts. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'

export interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

export class Visitor {
  readonly #base: URL
  readonly #host: string
  readonly #cookies = new Map<string, string>()

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
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const body = fields === undefined ? undefined : new URLSearchParams(fields).toString()
    const headers = {
      host: this.#host,
      'sec-fetch-site': 'same-origin',
      origin: `${this.#base.protocol}//${this.#host}`,
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(Buffer.byteLength(body)),
      }),
    }
    const options = { method, headers, agent: false as const, timeout: 120_000, rejectUnauthorized: false }
    const request = this.#base.protocol === 'https:' ? requestTls : requestPlain
    const sent = request(new URL(target, this.#base), options, async (response) => {
      for (const line of response.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        this.#cookies.set(name, value)
      }
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('utf8')
      resolve({ status: response.statusCode ?? 0, location: response.headers.location, text })
    })
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${target} did not answer in time`)))
    sent.on('error', reject)
    sent.end(body)
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
