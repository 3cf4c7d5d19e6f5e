/**
 * The record that `wcp` keeps of a server, in a file that its owner alone can read: the certificate that was believed by hand, and
 * who is signed in, or by which API key. `$XDG_CONFIG_HOME/wcp360/servers/<host>_<port>.json` (XDG Base Directory Specification 0.8).
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { ServerAddress } from './server-address.ts'

const KeptSession = z.strictObject({
  email: z.string(),
  /** Gets new tokens. */
  secret: z.string(),
  token: z.string(),
  expiresAt: z.iso.datetime(),
})
export type KeptSession = z.output<typeof KeptSession>

/** An API key: one that signs is never sent. */
const KeptKey = z.union([z.strictObject({ bearer: z.string() }), z.strictObject({ signWith: z.string() })])

const KeptServer = z.strictObject({
  /** SHA-256 of a certificate that nobody vouches for, as `openssl x509 -fingerprint -sha256` prints it. */
  fingerprint: z.string().nullable(),
  session: KeptSession.nullable(),
  /** Of a program, in place of a session. */
  key: KeptKey.nullable().default(null),
})
export type KeptServer = z.output<typeof KeptServer>

export interface ServerFile {
  readonly path: string
  read(): KeptServer
  /** Replaced as a whole. */
  write(kept: KeptServer): void
}

export function serverFile({ hostname, port }: ServerAddress, env: NodeJS.ProcessEnv): ServerFile {
  const directory = join(configHome(env), 'wcp360', 'servers')
  const path = join(directory, `${encodeURIComponent(hostname)}_${port}.json`)
  return {
    path,

    read() {
      const text = textOf(path)
      if (text === null) return { fingerprint: null, session: null, key: null }
      const parsed = KeptServer.safeParse(jsonOf(text))
      if (parsed.success) return parsed.data
      throw new WcpError('bad_input', `Cannot read "${path}": it is damaged`, {
        help: 'Remove it and run "wcp login".',
      })
    },

    write(kept) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const draft = `${path}.${randomUUID()}`
      try {
        writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
        renameSync(draft, path)
      } finally {
        rmSync(draft, { force: true })
      }
    },
  }
}

/** A relative path is to be ignored, says the specification. */
function configHome({ XDG_CONFIG_HOME: given = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(given) ? given : join(homedir(), '.config')
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
