/** The real panel with TLS on a free port, a fresh store and the scripted root side. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadConfig } from '../../src/lib/config.ts'
import type { Texts } from '../../src/lib/texts.ts'
import { deriveKeys } from '../../src/panel/auth/keys.ts'
import { pagesIn } from '../../src/panel/pages/register-pages.ts'
import { startPanel } from '../../src/panel/panel.ts'
import { english, operations } from '../../src/resources/index.ts'
import { type AgentPeer, startAgentPeer } from './agent-peer.ts'

export interface TestPanel {
  /** https://localhost:port */
  readonly url: string
  /** Certificate to trust. */
  readonly certificate: string
  readonly directory: string
  readonly agent: AgentPeer
  close(): Promise<void>
}

export const admin = { email: 'admin@example.com', password: 'a very long pass phrase' }

/** @param texts what its pages say; English unless told */
export async function startTestPanel({
  stepMs = 150,
  texts = english,
}: {
  stepMs?: number
  texts?: Texts
} = {}): Promise<TestPanel> {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-browser-'))
  const key = join(directory, 'key.pem')
  const certificate = join(directory, 'cert.pem')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  const panel = await startPanel({
    config: loadConfig(
      'requests_per_minute: 100000\nwrites_per_minute: 10000\njobs_per_minute: 10000\ndns_servers: 127.0.0.1:9',
      {},
      'test.yaml',
    ),
    keys: deriveKeys(randomBytes(32).toString('hex')),
    tls: { cert: readFileSync(certificate), key: readFileSync(key) },
    listen: { host: '127.0.0.1', port: 0 },
    runDirectory: directory,
    statePath: join(directory, 'state.db'),
    webLogs: join(directory, 'web'),
    log: pino({ level: process.env.WCP_TEST_LOG ?? 'silent' }),
    operations,
    registerPages: pagesIn(texts),
    tickMs: 50,
    probePace: { tickMs: 2 ** 31 - 1, slots: 60 },
  })
  const agent = await startAgentPeer(panel.agentSocket, stepMs)
  return {
    url: `https://localhost:${panel.port}`,
    certificate,
    directory,
    agent,
    async close() {
      agent.close()
      await panel.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
