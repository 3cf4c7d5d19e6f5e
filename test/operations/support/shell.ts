/** Somebody's shell on another machine: the code of `wcp` itself, in this process, speaking to the panel by TLS. */

import { X509Certificate } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { layout } from '../../../src/agent/os/layout.ts'
import { serverAddress } from '../../../src/cli/remote/server-address.ts'
import { type KeptServer, serverFile } from '../../../src/cli/remote/server-file.ts'
import { wcp } from '../../../src/cli/wcp.ts'

export interface Ended {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/** What is typed when `wcp` asks, under the name of what it asks for. */
export type Typed = Readonly<Record<string, unknown>>

export interface Shell {
  wcp(words: readonly string[], typed?: Typed): Promise<Ended>
  /** What it knows of the panel, and who is signed in there. */
  kept: KeptServer
  remove(): void
}

/** @param certificate the panel's, believed as by WCP_FINGERPRINT; `key`: an API key instead of a person, `signingKey`: one that signs */
export async function openShell(panel: {
  port: number
  certificate: string
  key?: string
  signingKey?: string
}): Promise<Shell> {
  const home = await mkdtemp(join(tmpdir(), 'wcp-shell-'))
  const server = `https://127.0.0.1:${panel.port}`
  const env = {
    XDG_CONFIG_HOME: home,
    WCP_SERVER: server,
    WCP_FINGERPRINT: new X509Certificate(panel.certificate).fingerprint256,
    ...(panel.key !== undefined && { WCP_API_KEY: panel.key }),
    ...(panel.signingKey !== undefined && { WCP_SIGNING_KEY: panel.signingKey }),
  }
  const file = serverFile(serverAddress(server), env)
  return {
    wcp: (words, typed = {}) => ended(words, typed, env),
    get kept() {
      return file.read()
    },
    set kept(kept) {
      file.write(kept)
    },
    remove: () => rmSync(home, { recursive: true }),
  }
}

/** Root's shell on the server. @param cliSocket of the panel */
export function rootShell(cliSocket: string): Pick<Shell, 'wcp'> {
  return { wcp: (words, typed = {}) => ended(words, typed, {}, cliSocket) }
}

async function ended(
  words: readonly string[],
  typed: Typed,
  env: NodeJS.ProcessEnv,
  cliSocket = '/nowhere',
): Promise<Ended> {
  const written = { out: '', err: '' }
  const answer = async (prompt: string) => {
    const value = typed[prompt.replace(/: $/, '')]
    if (value === undefined) throw new Error(`nobody answers "${prompt}"`)
    return String(value)
  }
  const bytes = new Writable({
    write(piece: Buffer, _, done) {
      written.out += piece.toString()
      done()
    },
  })
  const exit = await wcp(words, {
    output: {
      out: (text) => {
        written.out += text
      },
      err: (text) => {
        written.err += text
      },
      colour: false,
    },
    ask: { secret: answer, text: answer, yes: async () => false },
    env,
    isTerminal: false,
    bytes,
    given: Readable.from(['Bread']),
    onInterrupt: () => {},
    places: () => ({ ...layout('/nowhere'), cliSocket }),
  })
  return { exit, ...written }
}
