/** Which panel a command speaks to: root's own on this machine, or one on another machine. */
import { resolve } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import type { Ask } from '../ask.ts'
import { type CallPanel, panelClient } from '../client.ts'
import type { Credential } from './remote-client.ts'
import { type ServerAddress, serverAddress } from './server-address.ts'

export interface ChosenPanel {
  /** Null: on this machine. */
  readonly server: ServerAddress | null
  /** The directory that stands for `/`, of an agent that was started with the same word. */
  readonly root: string
  /** What follows. */
  readonly words: readonly string[]
}

/** `--server URL` before the command, else WCP_SERVER; `--root DIR`, which no variable replaces, means this machine. */
export function choosePanel(argv: readonly string[], { WCP_SERVER: fromEnv = '' }: NodeJS.ProcessEnv): ChosenPanel {
  const server = leading('server', 'an address', argv)
  const root = leading('root', 'a directory', argv)
  if (root !== undefined) return { server: null, root: resolve(root.value), words: root.words }
  if (server !== undefined) return { server: serverAddress(server.value), root: '/', words: server.words }
  return { server: fromEnv === '' ? null : serverAddress(fromEnv), root: '/', words: argv }
}

function leading(name: string, value: string, [first = '', second, ...rest]: readonly string[]) {
  if (first.startsWith(`--${name}=`))
    return { value: first.slice(`--${name}=`.length), words: second === undefined ? rest : [second, ...rest] }
  if (first !== `--${name}`) return undefined
  if (second === undefined) throw new WcpError('bad_input', `Cannot read the command: "${first}" needs ${value}`)
  return { value: second, words: rest }
}

/** @param cliSocket of the panel on this machine */
export function panelCaller(
  server: ServerAddress | null,
  { cliSocket, env, ask }: { cliSocket: string; env: NodeJS.ProcessEnv; ask: Ask },
): CallPanel {
  const given = keyOf(env)
  if (server === null) return given === null ? panelClient(cliSocket) : keyWithoutServer
  // Loaded at the call: most commands stay on this machine.
  return async (call) => {
    const { remoteCaller } = await import('./remote-caller.ts')
    return await remoteCaller(server, { env, ask, given })(call)
  }
}

/** The key of a program that keeps none in a file: WCP_API_KEY is sent, WCP_SIGNING_KEY signs. */
function keyOf({ WCP_API_KEY: sent = '', WCP_SIGNING_KEY: signing = '' }: NodeJS.ProcessEnv): Credential | null {
  if (sent !== '' && signing !== '')
    throw new WcpError('bad_input', 'Cannot use WCP_API_KEY and WCP_SIGNING_KEY at once', {
      help: 'Set the second one for a key that was made with --signed, and the first one for any other.',
    })
  if (signing !== '') return { signWith: signing }
  return sent === '' ? null : { bearer: sent }
}

const keyWithoutServer: CallPanel = async () => {
  throw new WcpError('bad_input', 'Cannot use an API key without a server', {
    help: 'Name it: --server https://panel.example.com:8360, or WCP_SERVER. On the server itself root needs no key.',
  })
}
