/**
 * A command loses its client or its panel by SIGKILL: it, or the same one again, says how it ended, and it was done once.
 * Panel and client are processes of their own. `WCP_FAULTS=all` tries 30 moments of each.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { layout } from '../../src/agent/os/layout.ts'
import { ask } from './support/client.ts'
import { machine, ScriptedAgent } from './support/scripted-agent.ts'
import { until } from './support/test-panel.ts'

const isWhole = process.env.WCP_FAULTS === 'all'
const moments = isWhole ? 30 : 2
const timeout = isWhole ? 900_000 : 120_000

const root = mkdtempSync(join(tmpdir(), 'wcp-again-'))
const { cliSocket } = layout(root)
const runDirectory = dirname(cliSocket)
const scripted = machine()
const socketPath = { socketPath: cliSocket }
let panel: ChildProcess
let agent: ScriptedAgent | undefined

beforeAll(async () => {
  for (const path of [runDirectory, join(root, 'credentials'), join(root, 'state')])
    mkdirSync(path, { recursive: true })
  const credential = (name: string) => join(root, 'credentials', name)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost']
  const files = ['-keyout', credential('tls.key'), '-out', credential('tls.crt')]
  execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
  writeFileSync(credential('panel.key'), `${'cd'.repeat(32)}\n`)
  writeFileSync(credential('config.yaml'), 'log_level: info\n')
  await startPanel()
  await ask(socketPath, { method: 'POST', path: '/api/v1/packages', body: { name: 'basic' } })
}, timeout)

afterAll(async () => {
  await agent?.hangUp()
  await killed(panel)
  rmSync(root, { recursive: true })
})

async function startPanel(): Promise<void> {
  const socket = createServer().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  panel = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', resolve('src/main.ts'), 'panel'], {
    // Node's own handle of the listening socket; the child gets a copy of its descriptor.
    stdio: ['ignore', 'ignore', 'ignore', (socket as unknown as { _handle: { fd: number } })._handle.fd],
    env: {
      PATH: process.env.PATH ?? '',
      CREDENTIALS_DIRECTORY: join(root, 'credentials'),
      RUNTIME_DIRECTORY: runDirectory,
      STATE_DIRECTORY: join(root, 'state'),
      LISTEN_FDS: '1',
    },
  })
  socket.close()
  agent = await until(() => ScriptedAgent.dial(join(runDirectory, 'agent.sock'), scripted).catch(() => null))
  await until(() => ask(socketPath, { path: '/api/v1/tenants' }).then(Boolean, () => false))
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const kill = {
  client: (client: ChildProcess) => killed(client),
  async panel() {
    await killed(panel)
    await agent?.hangUp()
    await startPanel()
  },
}

function wcp(...words: string[]) {
  const file = resolve('test/support/wcp-process.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, root, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const closed = once(child, 'close')
  return {
    child,
    /** It is loaded and goes to the panel next. */
    begun: until(() => said.includes('begins')),
    ended: async () => ({ code: (await closed)[0], said }),
  }
}

async function jobsOf(name: string): Promise<string[]> {
  const { items = [] } = (await ask(socketPath, { path: '/api/v1/jobs?limit=200' })).json()
  return items.filter((job) => job.resourceName === name).map(({ type, state }) => `${type} ${state}`)
}

it.each(['client', 'panel'] as const)('the %s', { timeout }, async (victim) => {
  const calm = wcp('tenant', 'create', `calm${victim}`)
  await calm.begun
  const since = performance.now()
  expect(await calm.ended()).toMatchObject({ code: 0 })
  const spanMs = performance.now() - since

  for (let moment = 0; moment < moments; moment++) {
    const name = `${victim}${String.fromCharCode(97 + Math.floor(moment / 26), 97 + (moment % 26))}`
    const first = wcp('tenant', 'create', name)
    await first.begun
    await pause((spanMs * (moment + 0.5)) / moments)
    await kill[victim](first.child)
    const ended = await first.ended()
    const again = await wcp('tenant', 'create', name).ended()

    if (victim === 'panel') expect(ended).toMatchObject({ code: 0, said: expect.stringMatching(/^job [\da-f-]{36}$/m) })
    expect(again).toMatchObject({ code: 0, said: expect.stringMatching(/^job [\da-f-]{36}$/m) })
    if (victim === 'panel') expect(again.said).toContain('This was asked for before')
    expect(await jobsOf(name)).toEqual(['tenant.create succeeded'])
  }
})
