/** The panel as its own process: TLS, the inherited socket, systemd's notifications, drain and exit codes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connect, type SecureVersion } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ask } from './support/client.ts'
import { startReceiver } from './support/receiver.ts'
import { until } from './support/test-panel.ts'

let directory: string
let child: ChildProcess | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-panel-'))
  for (const name of ['credentials', 'run', 'state']) mkdirSync(join(directory, name))
  makeCertificate('localhost')
  writeFileSync(credential('panel.key'), `${'cd'.repeat(32)}\n`)
  writeFileSync(credential('config.yaml'), 'log_level: info\n')
})

const credential = (name: string) => join(directory, 'credentials', name)

function makeCertificate(name: string): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`]
  const files = ['-keyout', credential('tls.key'), '-out', credential('tls.crt')]
  execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
}

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(directory, { recursive: true })
})

/** With a listening socket as descriptor 3, as systemd and the agent give it. */
async function start(env: Record<string, string> = {}) {
  const socket = createServer().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = socket.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', resolve('src/main.ts'), 'panel'], {
    // Node's own handle of the listening socket; the child gets a copy of its descriptor.
    stdio: ['ignore', 'pipe', 'pipe', (socket as unknown as { _handle: { fd: number } })._handle.fd],
    env: {
      PATH: process.env.PATH ?? '',
      CREDENTIALS_DIRECTORY: join(directory, 'credentials'),
      RUNTIME_DIRECTORY: join(directory, 'run'),
      STATE_DIRECTORY: join(directory, 'state'),
      LISTEN_FDS: '1',
      ...env,
    },
  })
  child = started
  let output = ''
  started.stdout?.on('data', (chunk) => {
    output += chunk
  })
  started.stderr?.on('data', (chunk) => {
    output += chunk
  })
  socket.close()
  return { port, process: started, output: () => output, exited: once(started, 'exit') }
}

const ready = (panel: { output: () => string }) => until(() => panel.output().includes('the panel is ready'))

async function overTls(port: number, path: string): Promise<number | undefined> {
  const asked = request({ port, host: '127.0.0.1', path, rejectUnauthorized: false, agent: false })
  asked.end()
  const [response] = await once(asked, 'response')
  response.resume()
  return response.statusCode
}

async function certificateName(port: number): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

async function handshake(port: number, maxVersion: SecureVersion): Promise<string | null> {
  const ciphers = 'DEFAULT@SECLEVEL=0'
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion,
    ciphers,
  })
  try {
    await once(socket, 'secureConnect')
    return socket.getProtocol()
  } catch {
    return null
  } finally {
    socket.destroy()
  }
}

it('serves TLS 1.2 and later on the inherited socket, and root on its own', { timeout: 60_000 }, async () => {
  const panel = await start()
  await ready(panel)

  expect(await overTls(panel.port, '/healthz')).toBe(200)
  expect([await handshake(panel.port, 'TLSv1.1'), await handshake(panel.port, 'TLSv1.2')]).toEqual([null, 'TLSv1.2'])
  const local = await ask({ socketPath: join(directory, 'run', 'cli.sock') }, { path: '/api/v1/tenants' })
  expect(local.status).toBe(200)
  const sockets = readdirSync(join(directory, 'run')).sort()
  expect(sockets).toEqual(['agent.sock', 'cli.sock', 'files.sock'])
  for (const name of ['run/agent.sock', 'run/cli.sock', 'run/files.sock', 'state/state.db'])
    expect(statSync(join(directory, name)).mode & 0o077).toBe(0)
})

it('takes a new certificate at SIGHUP and ends in order at SIGTERM', { timeout: 60_000 }, async () => {
  const panel = await start()
  await ready(panel)
  expect(await certificateName(panel.port)).toBe('localhost')

  makeCertificate('renewed')
  panel.process.kill('SIGHUP')
  await until(() => panel.output().includes('the configuration was read again'))
  expect(await certificateName(panel.port)).toBe('renewed')
  writeFileSync(credential('config.yaml'), 'colour: blue\n')
  panel.process.kill('SIGHUP')
  await until(() => panel.output().includes('the configuration was not taken'))
  expect(await overTls(panel.port, '/healthz')).toBe(200)
  panel.process.kill('SIGTERM')

  expect(await panel.exited).toEqual([0, null])
  expect(panel.output()).toContain('the panel has stopped')
})

it('stops with one line and code 78 when the configuration is wrong', { timeout: 60_000 }, async () => {
  writeFileSync(credential('config.yaml'), 'colour: blue\n')

  const panel = await start()

  expect(await panel.exited).toEqual([78, null])
  expect(panel.output().trim().split('\n')).toHaveLength(1)
  expect(panel.output()).toContain('config.yaml:1: unknown key "colour"')
})

it('tells systemd when it is ready, that it lives, and when it stops', { timeout: 60_000 }, async () => {
  const path = join(directory, 'notify.sock')
  const listener = spawn('python3', ['-uc', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  listener.stdout.on('data', (chunk) => {
    told += chunk
  })
  await until(() => told.includes('listening'))

  const panel = await start({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '300000' })
  await until(() => told.includes('WATCHDOG=1'))
  panel.process.kill('SIGTERM')
  await panel.exited
  await until(() => told.includes('STOPPING=1'))

  listener.kill()
  const order = ['READY=1', 'WATCHDOG=1', 'STOPPING=1'].map((word) => told.indexOf(word))
  expect(order).toEqual([...order].sort((one, other) => one - other))
})

/** Node cannot receive datagrams on a unix socket either. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening')
while True:
    print(s.recv(4096).decode())
`

it('is killed in the middle of a call of a webhook, and makes it again in its next life; an answered call stays done', async () => {
  const receiver = await startReceiver()
  try {
    receiver.answer = 'never'
    writeFileSync(credential('config.yaml'), 'webhook_targets: any\n')
    writeFileSync(join(directory, 'ca.pem'), receiver.ca)
    const env = { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') }
    const where = { socketPath: join(directory, 'run', 'cli.sock') }
    const post = (path: string, body: object, headers: Record<string, string> = {}) =>
      ask(where, { method: 'POST', path: `/api/v1/${path}`, body, headers })
    const make = () => post('packages', { name: 'basic' }, { 'idempotency-key': 'one' })

    const first = await start(env)
    await ready(first)
    await post('webhooks', { name: 'ops', url: receiver.url, events: ['package.create'] })
    const made = await make()
    await until(() => receiver.received.length === 1)
    first.process.kill('SIGKILL')
    await first.exited

    receiver.answer = 204
    const second = await start(env)
    await ready(second)
    const again = await make()
    await until(() => receiver.received.length === 2)
    const sent = async () =>
      (await ask(where, { path: '/api/v1/webhooks/ops/deliveries?state=delivered' })).json().items ?? []
    const [delivery] = await until(async () => ((await sent()).length === 1 ? await sent() : null))

    expect([made.status, again.status, again.text]).toEqual([201, 201, made.text])
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([delivery?.id, delivery?.id])
    expect(receiver.received[0]?.body).toBe(receiver.received[1]?.body)
  } finally {
    await receiver.stop()
  }
})
