/** The files that the panel is given by systemd (LoadCredential=) or by the agent, and nothing else of /etc/wcp360. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig } from '../lib/config.ts'
import { deriveKeys, type PanelKeys } from './auth/keys.ts'
import type { TlsFiles } from './http/server.ts'

export interface Credentials {
  readonly config: Config
  readonly keys: PanelKeys
  readonly tls: TlsFiles
}

/** @throws ConfigError with one line for a wrong configuration */
export function readCredentials(env: NodeJS.ProcessEnv): Credentials {
  const directory = env.CREDENTIALS_DIRECTORY
  if (!directory) throw new Error('Cannot start the panel: CREDENTIALS_DIRECTORY is not set; start it through wcpd')
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  return {
    config: loadConfig(read('config.yaml'), env, 'config.yaml'),
    keys: deriveKeys(read('panel.key')),
    tls: { cert: read('tls.crt'), key: read('tls.key') },
  }
}

/** The listening sockets that came with the process (sd_listen_fds(3)), in the order of `panelAddresses`. */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): readonly { fd: number }[] {
  const isForUs = env.LISTEN_PID === undefined || Number(env.LISTEN_PID) === pid
  const count = isForUs ? Number(env.LISTEN_FDS ?? 0) : 0
  return Array.from({ length: count }, (_, index) => ({ fd: 3 + index }))
}
