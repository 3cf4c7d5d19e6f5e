/** `wcp login` and `wcp logout`: who one is on the panel of another machine. */
import { WcpError } from '../../contract/errors.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { type Output, plain } from '../../lib/print.ts'
import { TokenGrant, tokensPath } from '../../lib/token-grant.ts'
import type { Ask } from '../ask.ts'
import type { LocalCommand } from '../program.ts'
import { grant, type Send, sender } from '../remote/remote-client.ts'
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
      ],
      async run([email], { server: given, fingerprint }) {
        const { server, file } = chosen(given)
        const told = typeof fingerprint === 'string' ? fingerprint : env.WCP_FINGERPRINT
        await settleCertificate(server, file, options, told || null)
        const send = sender(server, () => file.read().fingerprint)
        const session = await signIn(send, file, options.ask, email ?? (await options.ask.text('e-mail: ')))
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
        const { session, ...kept } = file.read()
        if (session === null) throw new WcpError('conflict', `Cannot sign out of ${server.origin}: nobody is signed in`)
        file.write({ ...kept, session: null })
        await end(
          sender(server, () => kept.fingerprint),
          session,
        )
        output.out(`signed out of ${server.origin}\n`)
        return 0
      },
    },
  ]
}

async function signIn(send: Send, file: ServerFile, ask: Ask, email: string): Promise<KeptSession> {
  const password = await ask.secret('password: ')
  try {
    return await grant(file, send, '', { email, password }, null)
  } catch (error) {
    const challenge = error instanceof WcpError ? error.details.challenge : undefined
    if (typeof challenge !== 'string') throw error
    return await grant(file, send, '/code', { challenge, code: await ask.secret('code: ') }, null)
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
  file.write({ fingerprint, session: null })
}

/** One that is over already is as good. */
async function end(send: Send, { token, secret }: KeptSession): Promise<void> {
  const isOver = (error: unknown) => {
    if (!(error instanceof WcpError) || error.code !== 'not_signed_in') throw error
  }
  const leave = (by: string) => send({ method: 'DELETE', target: `${apiRoot}${tokensPath}` }, by)
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
