/** `wcp login` and `wcp logout`: who one is on the panel of another machine. */
import { readFileSync } from 'node:fs'
import { WcpError } from '../../contract/errors.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { type Output, plain } from '../../lib/print.ts'
import { TokenGrant, tokensPath } from '../../lib/token-grant.ts'
import { selectorOf } from '../../resources/api-key/token.ts'
import { type Ask, demand } from '../ask.ts'
import type { LocalCommand } from '../program.ts'
import { type Credential, grant, type Send, sender } from '../remote/remote-client.ts'
import { type ServerAddress, serverAddress } from '../remote/server-address.ts'
import { type KeptSession, type ServerFile, serverFile } from '../remote/server-file.ts'
import { certificateAt, sameFingerprint } from '../remote/trusted-connection.ts'

export interface LoginOptions {
  readonly output: Output
  readonly ask: Ask
  readonly env: NodeJS.ProcessEnv
  /** As `--server` before the command or WCP_SERVER names it. */
  readonly server: ServerAddress | null
}

const option = ['--server <url>', 'address of the panel, such as https://panel.example.com:8360'] as const

export function loginCommands(options: LoginOptions): readonly LocalCommand[] {
  const { output, env } = options
  const chosen = (given: string | boolean | undefined) => {
    const server = typeof given === 'string' ? serverAddress(given) : options.server
    if (server === null)
      throw new WcpError('bad_input', 'Cannot tell which server is meant', {
        help: 'Name it: --server https://panel.example.com:8360, or WCP_SERVER.',
      })
    return { server, file: serverFile(server, env) }
  }
  return [
    {
      words: 'login',
      summary: 'Sign in to the panel of another machine',
      args: [['[email]', 'e-mail address of the account; asked for without it']],
      options: [
        option,
        [
          '--fingerprint <sha256>',
          'of its certificate, where nobody can be asked whether it is right; or WCP_FINGERPRINT',
        ],
        ['--key-file <path>', 'for a program: the API key in this file, in place of an account'],
        ['--sign', 'sign each request with that key, made with "api-key create --signed", and never send it'],
      ],
      async run([email], { server: given, fingerprint, keyFile, sign }) {
        const { server, file } = chosen(given)
        const key = keyGiven(email, keyFile, sign === true)
        const told = typeof fingerprint === 'string' ? fingerprint : env.WCP_FINGERPRINT
        await settleCertificate(server, file, options, told || null)
        const send = sender(server, () => file.read().fingerprint)
        if (key !== null) {
          await send({ method: 'GET', target: `${apiRoot}/openapi.json` }, key)
          file.write({ ...file.read(), session: null, key })
          output.out(`signed in to ${server.origin} by an API key${sign === true ? ' that signs' : ''}\n`)
          return 0
        }
        const session = await signIn(send, file, options.ask, email ?? (await demand(options.ask.text, 'e-mail: ')))
        output.out(`signed in to ${server.origin} as ${plain(session.email)}\n`)
        return 0
      },
    },
    {
      words: 'logout',
      summary: 'Sign out of the panel of another machine',
      options: [option],
      async run(_, { server: given }) {
        const { server, file } = chosen(given)
        const { session, key, fingerprint } = file.read()
        if (session === null && key === null)
          throw new WcpError('conflict', `Cannot sign out of ${server.origin}: nobody is signed in`)
        file.write({ fingerprint, session: null, key: null })
        if (session !== null)
          await end(
            sender(server, () => fingerprint),
            session,
          )
        output.out(`signed out of ${server.origin}\n`)
        return 0
      },
    },
  ]
}

/** Null: a person signs in. */
function keyGiven(
  email: string | undefined,
  path: string | boolean | undefined,
  isSigning: boolean,
): Credential | null {
  if (typeof path !== 'string') {
    if (isSigning)
      throw new WcpError('bad_input', 'Cannot sign without a key', { help: 'Name the file that it is in: --key-file.' })
    return null
  }
  if (email !== undefined)
    throw new WcpError('bad_input', `Cannot sign in as "${email}" by an API key`, {
      help: 'Leave the address out: the key says whose it is.',
    })
  const key = keyIn(path)
  return isSigning ? { signWith: key } : { bearer: key }
}

function keyIn(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (selectorOf(text) !== null) return text
  } catch (cause) {
    throw new WcpError('bad_input', `Cannot read "${path}"`, { cause, help: String(cause) })
  }
  throw new WcpError('bad_input', `Cannot find an API key in "${path}"`, {
    help: 'It holds the text that "wcp api-key create" printed as "token", and nothing else.',
  })
}

async function signIn(send: Send, file: ServerFile, ask: Ask, email: string): Promise<KeptSession> {
  const password = await demand(ask.secret, 'password: ')
  try {
    return await grant(file, send, '', { email, password }, null)
  } catch (error) {
    const challenge = error instanceof WcpError ? error.details.challenge : undefined
    if (typeof challenge !== 'string') throw error
    return await grant(file, send, '/code', { challenge, code: await demand(ask.secret, 'code: ') }, null)
  }
}

/** A certificate that nobody vouches for is compared by the person, once, as with ssh. */
async function settleCertificate(
  server: ServerAddress,
  file: ServerFile,
  { ask, output }: LoginOptions,
  given: string | null,
): Promise<void> {
  const { fingerprint, problem } = await certificateAt(server)
  const kept = file.read()
  if (problem === null || (kept.fingerprint !== null && sameFingerprint(kept.fingerprint, fingerprint))) return
  const known = kept.fingerprint === null ? `(${problem})` : 'AND IT IS NOT THE ONE OF BEFORE'
  output.err(`Nobody vouches for the certificate of ${server.origin} ${known}. SHA-256:\n  ${fingerprint}\n`)
  const isRight = given === null ? await ask.yes('Is that what the server shows?') : sameFingerprint(given, fingerprint)
  if (!isRight)
    throw new WcpError('forbidden', `Cannot trust the certificate of ${server.origin}`, {
      help: 'On the server: openssl x509 -noout -fingerprint -sha256 -in /etc/wcp360/ssl/panel.crt. Where nobody can be asked: --fingerprint.',
    })
  file.write({ fingerprint, session: null, key: null })
}

/** One that is over already is as good. */
async function end(send: Send, { token, secret }: KeptSession): Promise<void> {
  const isOver = (error: unknown) => {
    if (!(error instanceof WcpError) || error.code !== 'not_signed_in') throw error
  }
  const leave = (by: string) => send({ method: 'DELETE', target: `${apiRoot}${tokensPath}` }, { bearer: by })
  try {
    await leave(token)
  } catch (error) {
    isOver(error)
    // The token may have grown old while its session goes on.
    const renewed = await send(
      { method: 'POST', target: `${apiRoot}${tokensPath}/refresh`, body: { secret } },
      null,
    ).catch(isOver)
    if (renewed) await leave(TokenGrant.parse(renewed.body).token)
  }
}
