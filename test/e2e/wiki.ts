/** A person with a browser in front of a fresh DokuWiki: sets it up, signs in, writes a page and reads it back. */
import { request } from 'node:http'

const credentials = { user: 'writer', password: 'a long enough password' }

export class Wiki {
  readonly #base: string
  readonly #host: string
  readonly #cookies = new Map<string, string>()

  /** @param base where the web server answers, @param host the name of the site. */
  constructor(base: string, host: string) {
    this.#base = base
    this.#host = host
  }

  async setUp(title: string): Promise<void> {
    const answer = await this.#post('/install.php', {
      l: 'en',
      'd[title]': title,
      'd[acl]': 'on',
      'd[superuser]': credentials.user,
      'd[fullname]': 'The Writer',
      'd[email]': 'writer@example.com',
      'd[password]': credentials.password,
      'd[confirm]': credentials.password,
      'd[policy]': '0',
      'd[license]': 'cc-by-sa',
      submit: '',
    })
    if (!answer.includes('The configuration was finished successfully'))
      throw new Error(`Cannot set the wiki up: ${answer}`)
  }

  async signIn(): Promise<void> {
    const form = await this.get('/doku.php?id=start&do=login')
    await this.#post('/doku.php', {
      ...hidden(form),
      do: 'login',
      id: 'start',
      u: credentials.user,
      p: credentials.password,
    })
    if (!(await this.get('/doku.php?id=start')).includes('do=logout')) throw new Error('Cannot sign in to the wiki')
  }

  async write(page: string, text: string): Promise<void> {
    const form = await this.get(`/doku.php?id=${page}&do=edit`)
    await this.#post('/doku.php', { ...hidden(form), id: page, wikitext: text, summary: 'written', 'do[save]': 'Save' })
  }

  async get(target: string): Promise<string> {
    const { status, text } = await this.#send('GET', target)
    if (status !== 200) throw new Error(`GET ${target} answered ${status}: ${text}`)
    return text
  }

  async #post(target: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const { status, text } = await this.#send('POST', target, new URLSearchParams(fields).toString())
    if (status >= 400) throw new Error(`POST ${target} answered ${status}: ${text}`)
    return text
  }

  async #send(method: string, target: string, body?: string): Promise<{ status: number; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const headers = {
      host: this.#host,
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(Buffer.byteLength(body)),
      }),
    }
    const sent = request(
      new URL(target, this.#base),
      { method, headers, agent: false, timeout: 120_000 },
      async (response) => {
        for (const line of response.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          this.#cookies.set(name, value)
        }
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${target} did not answer in time`)))
    sent.on('error', reject)
    sent.end(body)
    return promise
  }
}

/** The hidden fields of the page's editor or login form, security token among them. */
function hidden(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, value]))
}
