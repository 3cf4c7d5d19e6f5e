/**
 * The panel's talk with a certification authority (RFC 8555): requests are signed by the root side, which also chooses
 * names and keys, and proofs are published there.
 */
import { createHash } from 'node:crypto'
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
const Head = z.object({ jwk: z.object({ kty: z.string(), crv: z.string(), x: z.string(), y: z.string() }) })
const Window = z.object({ suggestedWindow: z.object({ start: z.coerce.date(), end: z.coerce.date() }) })

const mostNonces = 10
const firstPollMs = 250
const longestPollMs = 10_000
/** For one authority to look at its proofs, or to issue. */
const patienceMs = 180_000

/** How names are proven in the DNS, where they are not proven over HTTP. */
export interface DnsWay {
  readonly names: readonly string[]
  /** Resolves when the servers of their zones show them, and answers how they are removed. */
  publish(proofs: readonly DnsProof[]): Promise<() => Promise<void>>
}

export interface DnsProof {
  readonly name: string
  /** Of the TXT record below it (RFC 8555, 8.4). */
  readonly text: string
}

export interface Wanted {
  readonly certificate: Id
  readonly names: Fqdn[]
  readonly overDns: DnsWay
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
  /** Of the account's key (RFC 7638). */
  #thumbprint = ''
  #nonces: string[] = []

  constructor(options: AcmeClientOptions) {
    this.#options = options
  }

  /** Whom a CAA record must name; nobody where the authority does not say. */
  async caaIdentities(): Promise<readonly string[]> {
    return (await this.#where()).meta.caaIdentities
  }

  /** @returns the chain in PEM */
  async obtain({ certificate, names, replaces, overDns }: Wanted): Promise<string> {
    const { newOrder, renewalInfo } = await this.#where()
    const payload = { is: 'order', certificate, names, replaces: renewalInfo === undefined ? null : replaces } as const
    const made = await this.#post(newOrder, payload)
    const url = this.#near(String(made.headers.location))
    const order = read(Order, made)
    await this.#proveAll(order.authorizations, overDns)
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

  async #proveAll(urls: readonly string[], overDns: DnsWay): Promise<void> {
    const undo: (() => Promise<unknown>)[] = []
    try {
      const open: Open[] = []
      for (const url of urls.map((one) => this.#near(one))) {
        const authorization = read(Authorization, await this.#post(url, { is: 'read' }))
        if (authorization.status !== 'valid') open.push(openOf(url, authorization, overDns.names))
      }
      for (const { token, way } of open) {
        if (way !== 'http-01') continue
        await this.#options.signing.prove(token, true)
        undo.push(() => this.#options.signing.prove(token, false))
      }
      const inDns = open.filter(({ way }) => way === 'dns-01')
      if (inDns.length > 0)
        undo.push(await overDns.publish(inDns.map(({ name, token }) => ({ name, text: this.#dnsText(token) }))))
      for (const { challenge } of open) await this.#post(this.#near(challenge), { is: 'ready' })
      for (const one of open) await this.#mustBeSeen(one)
    } finally {
      for (const step of undo) await step()
    }
  }

  async #mustBeSeen({ url }: Open): Promise<void> {
    const one = await this.#poll(url, Authorization, ({ status }) => status !== 'pending' && status !== 'processing')
    const failed = one.challenges.find(({ error }) => error !== undefined)
    if (one.status !== 'valid')
      throw refusedBy(failed?.error, `The authority could not see the proof of ${one.identifier.value}`)
  }

  #dnsText(token: AcmeToken): string {
    return createHash('sha256').update(`${token}.${this.#thumbprint}`).digest('base64url')
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
      const signed = await this.#options.signing.sign(request)
      if (payload.is === 'account') this.#thumbprint = thumbprintIn(signed)
      const body = JSON.stringify(signed)
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

/** A proof that the authority still wants. */
interface Open {
  readonly url: string
  readonly name: string
  readonly way: 'http-01' | 'dns-01'
  readonly challenge: string
  readonly token: AcmeToken
}

function openOf(
  url: string,
  { identifier: { value: name }, challenges }: z.output<typeof Authorization>,
  overDns: readonly string[],
): Open {
  const way = overDns.includes(name) ? 'dns-01' : 'http-01'
  const challenge = challenges.find(({ type }) => type === way)
  if (challenge === undefined)
    throw new AcmeProblem('', `The authority takes no proof over ${way === 'dns-01' ? 'the DNS' : 'HTTP'} for ${name}`)
  return { url, name, way, challenge: challenge.url, token: AcmeToken.parse(challenge.token) }
}

/** The request for an account shows the account's key, as the root side wrote it (RFC 8555, 6.2). */
function thumbprintIn({ protected: head }: SignedRequest): string {
  const { jwk } = Head.parse(jsonOf(Buffer.from(head, 'base64url').toString('utf8')))
  // the members in the order of their names (RFC 7638, 3)
  const canonical = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
  return createHash('sha256').update(canonical).digest('base64url')
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
