import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../support/processes.ts'
import type { Tried } from './attack-class.ts'
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

const email = 'keeper@example.com'
const fresh = () => `canary ${randomBytes(12).toString('hex')}`

export const secretLeaks: Tried = {
  name: 'secrets where nobody looks for them',
  holds: 'no secret of this run in a log, a command, an environment, a file, a list or a refusal',
  notYet: 'backups; keys of certificates; passwords of databases',
  async attack(stage, tally) {
    const secrets = new Map<string, string>()
    const keep = (what: string, text: unknown) => {
      const isText = typeof text === 'string' && text.length >= 16
      tally.held(isText, `there is no ${what}`)
      if (isText) secrets.set(text, what)
    }
    const [first, second, wrong] = [fresh(), fresh(), fresh()]
    for (const [what, text] of [
      ['first password', first],
      ['second password', second],
      ['wrong password', wrong],
    ] as const)
      keep(what, text)
    await stage.root('POST', '/users', { email, password: first, role: 'user', tenant: 'butcher' })
    await stage.root('PATCH', `/users/${email}`, { password: second })
    const person = stage.browser('127.35.1.1')
    const program = stage.browser('127.35.1.3')
    const refusals = [
      await person.form('/login', { email, password: wrong }),
      await person.form('/login', { email, password: wrong, extra: wrong }),
      await program.ask({ method: 'POST', path: '/api/v1/tokens', body: { email, password: wrong } }),
      await program.ask({ method: 'POST', path: '/api/v1/tokens', body: { email, password: [wrong] } }),
      await stage.root('POST', '/users', { email: 'x', password: wrong, role: 'none' }),
      await stage.root('PATCH', `/users/${email}`, { password: wrong, wrong }),
    ]
    for (const { status, text } of refusals)
      tally.held(status >= 400 && !text.includes(wrong), `a refusal (${status}) repeats a password`)

    await person.signIn(email, second)
    keep('cookie', person.cookie)
    const post = async (path: string, body: object = {}) =>
      (
        await person.ask({
          method: 'POST',
          path: `/api/v1${path}`,
          body,
          headers: {
            'x-csrf-token': await person.token(),
            'sec-fetch-site': 'same-origin',
            'idempotency-key': randomBytes(16).toString('hex'),
          },
        })
      ).json()
    const { token, secret } = (
      await program.ask({ method: 'POST', path: '/api/v1/tokens', body: { email, password: second } })
    ).json()
    keep('access token', token)
    keep('secret of a session', secret)
    for (const signed of [false, true])
      keep(
        'API key',
        (await post(`/users/${email}/api-keys`, { name: `key-${signed}`, scopes: ['domain.list'], signed })).token,
      )
    keep('secret of an app', (await post(`/users/${email}/totp`)).secret)
    const { id: webhook, secret: signing } = (
      await stage.root('POST', '/webhooks', { name: 'leak', url: 'https://hooks.example.com/', events: ['job.failed'] })
    ).json()
    keep('secret of a webhook', signing)
    const link = String((await stage.root('POST', `/users/${email}/reset-link`)).json().link)
    keep('link to a new password', link.split('/').at(-1))
    await stage.browser('127.35.1.2').page(new URL(link).pathname)

    for (const path of [
      '/users',
      `/users/${email}`,
      '/api-keys',
      `/api-keys?user=${email}`,
      '/webhooks',
      '/sessions',
      '/audit?limit=200',
      '/jobs',
      '/mails',
      `/users/${email}/totp`,
    ])
      absent(tally, secrets, `the answer to ${path}`, (await stage.root('GET', path)).text)
    const written = await places(stage)
    tally.held(written.filter(([, text]) => text.includes(email)).length >= 3, `even "${email}" was found nowhere`)
    for (const [what, text] of written) absent(tally, secrets, what, text)
    await stage.root('DELETE', `/webhooks/${webhook}`)
    await stage.root('DELETE', `/users/${email}`)
  },
}

function absent(tally: Tally, secrets: ReadonlyMap<string, string>, where: string, text: string): void {
  // In an address and in a log a space may be written otherwise.
  const spaced = text.replaceAll('%20', ' ').replaceAll('+', ' ')
  const found = [...secrets].filter(([secret]) => text.includes(secret) || spaced.includes(secret))
  tally.same(
    found.map(([, what]) => what),
    [],
    `${where} holds`,
  )
}

/** Everything that is written down: the logs, the commands with their environments, every file of the product. */
async function places({ product, executed }: Stage): Promise<readonly (readonly [what: string, text: string])[]> {
  const processes = processesOf(product.root).flatMap(({ pid }) =>
    ['cmdline', 'environ'].map((file) => [`/proc/${pid}/${file}`, read(`/proc/${pid}/${file}`)] as const),
  )
  const trees = ['var/lib/wcp360', 'var/lib/wcp360-agent', 'var/log', 'run', 'etc'].map((tree) =>
    join(product.root, tree),
  )
  const files = trees.filter(existsSync).flatMap((tree) =>
    readdirSync(tree, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  )
  return [
    ['the log', product.output],
    ['a command', executed().join('\n')],
    ...processes,
    ...files.map((file) => [file, read(file)] as const),
  ]
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // it has ended, or was put aside meanwhile
  }
}
