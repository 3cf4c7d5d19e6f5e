/**
 * The panel's talk with a certification authority (RFC 8555): requests are signed by the root side, which also chooses
 * names and keys, and proofs are published there.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type AcmePayload, type AcmeRequest, AcmeToken, type SignedRequest } from '../../contract/acme.ts'
import type { Fqdn, Id } from '../../contract/values.ts'
import { type AcmeAnswer, type AcmeHttp, askAuthority } from './acme-http.ts'
import { AcmeProblem, jsonOf, problemIn, problemOf, retryAfter } from './acme-problem.ts'

/** The root side's part. */
export interface Signing {
  sign(request: AcmeRequest): Promise<SignedRequest>
  prove(token: AcmeToken, isThere: boolean): Promise<null>
}

export interface AcmeClientOptions extends AcmeHttp {
  readonly directory: string
  readonly contact: string | null
  readonly binding: { readonly kid: string; readonly key: string } | null
  readonly signing: Signing
}

const Url = z.url({ protocol: /^https$/ }).max(500)
const Directory = z.object({
  newNonce: Url,
  newAccount: Url,
  newOrder: Url,
  renewalInfo: Url.optional(),
  meta: z.object({ caaIdentities: z.array(z.string()).default([]) }).default({ caaIdentities: [] }),
})
type Directory = z.output<typeof Directory>
const Order = z.object({
  status: z.string(),
  authorizations: z.array(Url).max(100),
  finalize: Url,
  certificate: Url.optional(),
  error: z.unknown().optional(),
})
const Authorization = z.object({
  status: z.string(),
  identifier: z.object({ value: z.string() }),
  challenges: z.array(
    z.object({ type: z.string(), url: Url, token: z.string().optional(), error: z.unknown().optional() }),
  ),
})
const Window = z.object({ suggestedWindow: z.object({ start: z.coerce.date(), end: z.coerce.date() }) })

const mostNonces = 10
const firstPollMs = 250
const longestPollMs = 10_000
/** For one authority to look at its proofs, or to issue. */
const patienceMs = 180_000

export interface Wanted {
  readonly certificate: Id
  readonly names: Fqdn[]
  /** Of the certificate that it takes the place of (RFC 9773, 5). */
  readonly replaces: string | null
}

export interface RenewalWindow {
  readonly start: Date
  readonly end: Date
  /** When to ask again. */
  readonly askAgainMs: number | null
}

export class AcmeClient {
  readonly #options: AcmeClientOptions
  #directory: Promise<Directory> | undefined
  #account: Promise<string> | undefined
  #nonces: string[] = []

  constructor(options: AcmeClientOptions) {
    this.#options = options
  }

  /** Whom a CAA record must name; nobody where the authority does not say. */
  async caaIdentities(): Promise<readonly string[]> {
    return (await this.#where()).meta.caaIdentities
  }

  /** @returns the chain in PEM */
  async obtain({ certificate, names, replaces }: Wanted): Promise<string> {
    const { newOrder, renewalInfo } = await this.#where()
    const payload = { is: 'order', certificate, names, replaces: renewalInfo === undefined ? null : replaces } as const
    const made = await this.#post(newOrder, payload)
    const url = this.#near(String(made.headers.location))
    const order = read(Order, made)
    await this.#proveAll(order.authorizations)
    await this.#post(this.#near(order.finalize), { is: 'finalize', certificate, names })
    const issued = await this.#poll(url, Order, ({ status }) => status !== 'processing' && status !== 'ready')
    if (issued.certificate === undefined) throw refusedBy(issued.error, 'The authority did not issue the certificate')
    return (await this.#post(this.#near(issued.certificate), { is: 'read' })).body
  }

  /** When the authority would like it to be renewed (RFC 9773, 4); null where it does not say. */
  async renewalWindow(id: string): Promise<RenewalWindow | null> {
    const { renewalInfo } = await this.#where()
    if (renewalInfo === undefined) return null
    const answer = await this.#ask(`${renewalInfo.replace(/\/$/, '')}/${id}`, { method: 'GET' })
    const window = Window.safeParse(jsonOf(answer.body)).data?.suggestedWindow
    if (answer.status !== 200 || window === undefined || window.end < window.start) return null
    return { ...window, askAgainMs: retryAfter(answer.headers['retry-after']) }
  }

  async #proveAll(urls: readonly string[]): Promise<void> {
    const published: AcmeToken[] = []
    try {
      const open: string[] = []
      for (const url of urls.map((one) => this.#near(one))) {
        const { status, identifier, challenges } = read(Authorization, await this.#post(url, { is: 'read' }))
        if (status === 'valid') continue
        const challenge = challenges.find(({ type }) => type === 'http-01')
        if (challenge === undefined)
          throw new AcmeProblem('', `The authority takes no proof over HTTP for ${identifier.value}`)
        const token = AcmeToken.parse(challenge.token)
        await this.#options.signing.prove(token, true)
        published.push(token)
        await this.#post(this.#near(challenge.url), { is: 'ready' })
        open.push(url)
      }
      for (const url of open) {
        const one = await this.#poll(
          url,
          Authorization,
          ({ status }) => status !== 'pending' && status !== 'processing',
        )
        const failed = one.challenges.find(({ error }) => error !== undefined)
        if (one.status !== 'valid')
          throw refusedBy(failed?.error, `The authority could not see the proof of ${one.identifier.value}`)
      }
    } finally {
      for (const token of published) await this.#options.signing.prove(token, false)
    }
  }

  async #poll<S extends z.ZodType>(
    url: string,
    schema: S,
    isOver: (one: z.output<S>) => boolean,
  ): Promise<z.output<S>> {
    const until = performance.now() + patienceMs
    for (let times = 1; ; times++) {
      const answer = await this.#post(url, { is: 'read' })
      const one = read(schema, answer)
      if (isOver(one)) return one
      if (performance.now() > until) throw new AcmeProblem('', 'The authority takes too long')
      const asked = retryAfter(answer.headers['retry-after'])
      await pause(Math.min(asked ?? firstPollMs * 2 ** (times - 1), longestPollMs), undefined, {
        signal: this.#options.signal,
      })
    }
  }

  async #post(url: string, payload: AcmePayload): Promise<AcmeAnswer> {
    const account = payload.is === 'account' ? null : await this.#accountUrl()
    for (let nonces = 1; ; nonces++) {
      const request = { url, nonce: await this.#nonce(), account, payload }
      const body = JSON.stringify(await this.#options.signing.sign(request))
      const answer = await this.#ask(url, { method: 'POST', body })
      if (answer.status < 300) return answer
      const problem = problemOf(answer)
      if (problem.type === 'accountDoesNotExist') this.#account = undefined
      if (problem.type !== 'badNonce' || nonces >= mostNonces) throw problem
    }
  }

  async #nonce(): Promise<string> {
    const kept = this.#nonces.shift()
    if (kept !== undefined) return kept
    const { newNonce } = await this.#where()
    const answer = await this.#ask(newNonce, { method: 'HEAD' })
    const fresh = this.#nonces.shift()
    if (fresh === undefined) throw problemOf(answer)
    return fresh
  }

  async #ask(url: string, what: Parameters<typeof askAuthority>[1]): Promise<AcmeAnswer> {
    const answer = await askAuthority(url, what, this.#options)
    const nonce = answer.headers['replay-nonce']
    if (typeof nonce === 'string') this.#nonces = [nonce]
    return answer
  }

  #accountUrl(): Promise<string> {
    this.#account ??= this.#register().catch((error) => {
      this.#account = undefined
      throw error
    })
    return this.#account
  }

  async #register(): Promise<string> {
    const { contact, binding } = this.#options
    const answer = await this.#post((await this.#where()).newAccount, { is: 'account', contact, binding })
    return this.#near(String(answer.headers.location))
  }

  #where(): Promise<Directory> {
    this.#directory ??= this.#look().catch((error) => {
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #look(): Promise<Directory> {
    const answer = await this.#ask(this.#options.directory, { method: 'GET' })
    if (answer.status !== 200) throw problemOf(answer)
    const found = read(Directory, answer)
    for (const url of [found.newNonce, found.newAccount, found.newOrder, found.renewalInfo])
      if (url !== undefined) this.#near(url)
    return found
  }

  /** An authority sends nobody to other machines. */
  #near(url: string): string {
    if (URL.canParse(url) && new URL(url).origin === new URL(this.#options.directory).origin) return url
    throw new AcmeProblem('', 'The authority leads to another server')
  }
}

function read<S extends z.ZodType>(schema: S, { body }: AcmeAnswer): z.output<S> {
  const found = schema.safeParse(jsonOf(body))
  if (found.success) return found.data
  throw new AcmeProblem('', 'The authority answers with something else than RFC 8555 says')
}

function refusedBy(error: unknown, otherwise: string): AcmeProblem {
  const { type, detail } = problemIn(error)
  return new AcmeProblem(type, detail === '' ? otherwise : `${otherwise}: ${detail}`)
}
