/** A browser at the login page: one connection from an address of its own, one cookie. */
import { Agent, request } from 'node:https'

export const person = { email: 'owner@example.com', password: 'correct horse battery' }

export interface Visitor {
  send(method: string, path: string, body?: string): Promise<{ status: number; text: string }>
  /** Sends the login form. */
  post(password: string): Promise<{ status: number; text: string }>
}

/** @param from a loopback address: each /24 of them is a network of its own to the throttle */
export async function visitor(port: number, from: string): Promise<Visitor> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let cookie: string | undefined

  function send(method: string, path: string, body?: string) {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const headers = {
      'sec-fetch-site': 'same-origin',
      ...(cookie !== undefined && { cookie: `__Host-wcp=${cookie}` }),
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      }),
    }
    const where = { host: '127.0.0.1', port, localAddress: from, rejectUnauthorized: false, agent }
    request({ ...where, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        cookie = /^__Host-wcp=([\w-]{43})/.exec(response.headers['set-cookie']?.[0] ?? '')?.[1] ?? cookie
        resolve({ status: response.statusCode ?? 0, text })
      })
    })
      .on('error', reject)
      .end(body)
    return promise
  }

  const token = /name="_csrf" value="([^"]+)"/.exec((await send('GET', '/login')).text)?.[1]
  if (token === undefined) throw new Error('the login page has no form')
  return {
    send,
    post: (password) =>
      send(
        'POST',
        '/login',
        new URLSearchParams({ _csrf: token, email: person.email, password, next: '/' }).toString(),
      ),
  }
}
