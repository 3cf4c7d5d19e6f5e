/** Signing in as a person does, by the form of the network's door. */
import { request } from 'node:https'
import type { World } from './world.ts'

const email = 'fault@example.org'
const password = 'a long enough river'

interface Page {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** An administrator is made at the first call, which needs a store that takes it. */
export async function makeAdministrator({ product }: World): Promise<void> {
  await product.call('POST', '/users', { email, password, role: 'system_admin' })
}

/** Whether the form leads in. */
export async function signedIn(world: World): Promise<boolean> {
  return (await session(world)) !== undefined
}

/** The cookie of a new session; undefined when the form did not lead in. */
export async function session({ product }: World): Promise<string | undefined> {
  const { panel: port } = product.ports
  const form = await fetchPage(port, '/login')
  const cookie = cookieOf(form)
  const token = /name="_csrf" value="([^"]+)"/.exec(form.body)?.[1] ?? ''
  const fields = new URLSearchParams({ _csrf: token, email, password }).toString()
  const answer = await fetchPage(port, '/login', { cookie, fields })
  return answer.status === 303 ? cookieOf(answer) : undefined
}

/** Status of a page for the session of a cookie. */
export async function visitPage({ product }: World, path: string, cookie: string): Promise<number> {
  return (await fetchPage(product.ports.panel, path, { cookie })).status
}

function cookieOf({ headers }: Page): string {
  return String(headers['set-cookie'] ?? '').split(';')[0] ?? ''
}

function fetchPage(
  port: number,
  path: string,
  { cookie = '', fields }: { cookie?: string; fields?: string } = {},
): Promise<Page> {
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
  sent.end(fields)
  return promise
}
