/** A signed-in administrator in front of the panel's real door, and a steady rate of page views by them. */
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from './bench.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export class Visitor {
  readonly #port: number
  /** As many connections as browsers would hold; the panel closes each after a thousand requests. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 24, rejectUnauthorized: false })
  #cookie = ''

  constructor(port: number) {
    this.#port = port
  }

  async signIn(email: string, password: string): Promise<void> {
    const form = await this.#ask('GET', '/login')
    const token = /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1]
    if (token === undefined) throw new Error(`Cannot sign in: no form, status ${form.status}`)
    const answer = await this.#ask('POST', '/login', new URLSearchParams({ _csrf: token, email, password }).toString())
    if (answer.status !== 303) throw new Error(`Cannot sign in: status ${answer.status}`)
  }

  /** The text of a page that must be there. */
  async page(path: string): Promise<string> {
    const { status, text } = await this.#ask('GET', path)
    if (status !== 200) throw new Error(`${path} answered ${status}`)
    return text
  }

  close(): void {
    this.#agent.destroy()
  }

  #ask(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = {
      accept: 'text/html',
      'sec-fetch-site': 'same-origin',
      ...(this.#cookie !== '' && { cookie: this.#cookie }),
      ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    const options = { host: '127.0.0.1', port: this.#port, method, path, headers, agent: this.#agent }
    const sent = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const given = response.headers['set-cookie']?.[0]?.split(';')[0]
        if (given !== undefined) this.#cookie = given
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    // A kept connection that the server closes while it is used again is not an answer: browsers ask once more (RFC 9112, 9.3.1).
    sent.on('error', (error) => {
      if (sent.reusedSocket && method === 'GET') resolve(this.#ask(method, path))
      else reject(error)
    })
    sent.end(body)
    return promise
  }
}

export interface View {
  readonly kind: string
  readonly path: string
}

export class Views {
  readonly #samples = new Map<string, number[]>()
  failed = 0
  /** Why the last one did. */
  lastFailure: unknown = null

  add(kind: string, ms: number): void {
    const samples = this.#samples.get(kind) ?? []
    this.#samples.set(kind, samples)
    samples.push(ms)
  }

  get kinds(): readonly string[] {
    return [...this.#samples.keys()]
  }

  /** Milliseconds; of one kind, or of all. */
  percentile(p: number, kind?: string): number {
    return percentile(kind === undefined ? [...this.#samples.values()].flat() : (this.#samples.get(kind) ?? []), p)
  }

  get count(): number {
    return [...this.#samples.values()].reduce((sum, { length }) => sum + length, 0)
  }
}

/**
 * Asks for `pages` in turn, `perSecond` of them, whether or not the ones before were answered. Each is timed from the
 * moment when it was due, so that an answer which holds up others counts for them too.
 */
export async function viewSteadily(
  visitor: Visitor,
  pages: readonly View[],
  { perSecond, isOver }: { perSecond: number; isOver: (views: Views) => boolean },
): Promise<Views> {
  const views = new Views()
  const underway = new Set<Promise<void>>()
  const began = performance.now()
  for (let index = 0; !isOver(views); index++) {
    const due = began + (index * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await sleep(early)
    const page = pages[index % pages.length]
    if (page === undefined) break
    const answered = visitor
      .page(page.path)
      .then(
        () => views.add(page.kind, performance.now() - due),
        (error) => {
          views.failed++
          views.lastFailure = error
        },
      )
      .finally(() => underway.delete(answered))
    underway.add(answered)
  }
  await Promise.all(underway)
  return views
}
