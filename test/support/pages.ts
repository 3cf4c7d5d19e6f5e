/** The pages of a real product as a person reaches them: over TLS, by forms, with the cookie of a session. */
import { request } from 'node:https'

export interface Page {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

export interface Visit {
  readonly cookie?: string
  /** A form that is sent; without it the page is only looked at. */
  readonly fields?: Readonly<Record<string, string>>
}

/** The cookie of a new session; undefined when the form did not lead in. */
export async function signInByForm(
  port: number,
  who: { readonly email: string; readonly password: string },
): Promise<string | undefined> {
  const form = await fetchPage(port, '/login')
  const cookie = cookieOf(form)
  const answer = await fetchPage(port, '/login', { cookie, fields: { _csrf: tokenOf(form), ...who } })
  return answer.status === 303 ? cookieOf(answer) : undefined
}

export function cookieOf({ headers }: Page): string {
  return String(headers['set-cookie'] ?? '').split(';')[0] ?? ''
}

/** The hidden field of the page's form. */
export function tokenOf({ body }: Page): string {
  return /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? ''
}

export function fetchPage(port: number, path: string, { cookie = '', fields }: Visit = {}): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<Page>()
  const headers = {
    accept: 'text/html',
    ...(cookie !== '' && { cookie }),
    ...(fields !== undefined && {
      'content-type': 'application/x-www-form-urlencoded',
      origin: `https://127.0.0.1:${port}`,
      'sec-fetch-site': 'same-origin',
    }),
  }
  const method = fields === undefined ? 'GET' : 'POST'
  const sent = request(
    { host: '127.0.0.1', port, path, method, headers, rejectUnauthorized: false, agent: false },
    (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk) => (body += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      answer.on('error', reject)
    },
  )
  sent.on('error', reject)
  sent.end(fields === undefined ? undefined : new URLSearchParams(fields).toString())
  return promise
}
