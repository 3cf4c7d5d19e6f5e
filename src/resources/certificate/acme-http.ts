/** One request to a certification authority: bounded in time and size, without redirects, and only where its directory is. */
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'

export interface AcmeAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface AcmeHttp {
  readonly userAgent: string
  /** PEM of whom to trust besides what Node trusts. */
  readonly ca: string | undefined
  readonly signal: AbortSignal
}

const timeoutMs = 30_000
const longestBody = 128 * 1024

export async function askAuthority(
  url: string,
  { method, body }: { method: 'GET' | 'HEAD' | 'POST'; body?: string },
  { userAgent, ca, signal }: AcmeHttp,
): Promise<AcmeAnswer> {
  const call = request(url, {
    method,
    headers: {
      'user-agent': userAgent,
      ...(body !== undefined && { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    },
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    maxHeaderSize: 16 * 1024,
    ...(ca !== undefined && { ca }),
  })
  try {
    const answered = once(call, 'response')
    call.end(body)
    const [response] = await answered
    const parts: Buffer[] = []
    let size = 0
    for await (const part of response) {
      size += part.length
      if (size > longestBody) throw new Error(`${new URL(url).host} answered with more than ${longestBody} bytes`)
      parts.push(part)
    }
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString('utf8') }
  } finally {
    call.on('error', () => {}).destroy()
  }
}
