/**
 * Signed requests: the part of HTTP Message Signatures (RFC 9421) that this panel takes. One signature, HMAC-SHA-256, over method,
 * authority, path, query and, where there is a body, its digest (RFC 9530), with the moment of its making and a nonce.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface SignatureInput {
  /** Names of what was signed, in order. */
  readonly components: readonly string[]
  /** Seconds since 1970. */
  readonly created: number
  readonly expires: number | null
  readonly nonce: string
  readonly keyId: string
  /** As it stands in the header: the last line of what was signed. */
  readonly parameters: string
  readonly signature: Buffer
}

const name = /"(@?[a-z][a-z0-9-]*)"/
const parameter = /;(created|expires)=(\d{1,12})|;(nonce|keyid|alg|tag)="([\x20\x21\x23-\x5b\x5d-\x7e]{1,200})"/
const input = new RegExp(
  `^([a-z*][a-z0-9_.*-]{0,63})=(\\((?:${name.source}(?: ${name.source})*)?\\)((?:${parameter.source})+))$`,
)

/** Null for what is not of this part of the standard, such as two signatures at once or a parameter twice. */
export function readSignature(inputHeader: string, signatureHeader: string): SignatureInput | null {
  if (inputHeader.length > 2000 || signatureHeader.length > 200) return null
  const [, label, parameters = ''] = input.exec(inputHeader) ?? []
  const [, sameLabel, base64 = ''] = /^([^=]+)=:([A-Za-z0-9+/]{43}=):$/.exec(signatureHeader) ?? []
  if (label === undefined || label !== sameLabel) return null
  const [list = '', tail = ''] = [
    parameters.slice(0, parameters.indexOf(')')),
    parameters.slice(parameters.indexOf(')') + 1),
  ]
  const components = [...list.matchAll(new RegExp(name, 'g'))].map((match) => match[1] ?? '')
  const given = [...tail.matchAll(new RegExp(parameter, 'g'))].map(
    (match) => [match[1] ?? match[3] ?? '', match[2] ?? match[4] ?? ''] as const,
  )
  const values = new Map(given)
  const [created, nonce, keyId] = [values.get('created'), values.get('nonce'), values.get('keyid')]
  if (values.size !== given.length || new Set(components).size !== components.length) return null
  if (created === undefined || nonce === undefined || keyId === undefined) return null
  if ((values.get('alg') ?? 'hmac-sha256') !== 'hmac-sha256') return null
  const expires = values.get('expires')
  return {
    components,
    created: Number(created),
    expires: expires === undefined ? null : Number(expires),
    nonce,
    keyId,
    parameters,
    signature: Buffer.from(base64, 'base64'),
  }
}

/** The signature base (RFC 9421 §2.5). @param values of each component by its name */
export function signatureBase(
  components: readonly string[],
  values: ReadonlyMap<string, string>,
  parameters: string,
): string {
  const lines = components.map((component) => `"${component}": ${values.get(component) ?? ''}`)
  return [...lines, `"@signature-params": ${parameters}`].join('\n')
}

export function hmacSignature(key: Uint8Array, base: string): Buffer {
  return createHmac('sha256', key).update(base).digest()
}

/** A request as it is sent. `target`: path and query. */
export interface RequestToSign {
  readonly method: string
  /** As the header `Host` has it. */
  readonly authority: string
  readonly target: string
  /** undefined: there is none. */
  readonly body: Uint8Array | undefined
}

/**
 * The headers that make a request a signed one.
 * @param key whole text of an API key that signs
 * @param keyId by which the one who checks the signature finds the key; `created`: seconds since 1970; `nonce`: another for
 *   each request, as each counts once
 */
export function signatureHeaders(
  key: string,
  { method, authority, target, body }: RequestToSign,
  { keyId, created, nonce }: { readonly keyId: string; readonly created: number; readonly nonce: string },
): Readonly<Record<string, string>> {
  const [path = '', ...query] = target.split('?')
  const digest = body && { 'content-digest': contentDigest(body) }
  const values = new Map([
    ['@method', method],
    ['@authority', authority],
    ['@path', path],
    ['@query', `?${query.join('?')}`],
    ...Object.entries(digest ?? {}),
  ])
  const components = [...values.keys()]
  const list = components.map((component) => `"${component}"`).join(' ')
  const parameters = `(${list});created=${created};nonce="${nonce}";keyid="${keyId}"`
  const signature = hmacSignature(Buffer.from(key), signatureBase(components, values, parameters))
  return { ...digest, 'signature-input': `wcp=${parameters}`, signature: `wcp=:${signature.toString('base64')}:` }
}

export function isSignedBy(key: Uint8Array, base: string, signature: Buffer): boolean {
  const own = hmacSignature(key, base)
  return signature.length === own.length && timingSafeEqual(signature, own)
}

/** `Content-Digest` of a body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}
