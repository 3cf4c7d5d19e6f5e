/** A root side by script: it speaks the real frames and does nothing to the machine, step after step, slowly enough to watch. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFrame, FrameDecoder } from '../../src/contract/frame.ts'
import {
  type AgentMessage,
  type HealthSnapshot,
  type MirrorReport,
  PanelMessage,
  wireVersion,
} from '../../src/contract/wire.ts'

export const rootPassword = 'correct horse battery'
export const setupCode = 'the-code-of-the-address'
export const setupPath = `/bootstrap/${setupCode}`

const health: HealthSnapshot = {
  at: '2026-01-01T00:00:00.000Z',
  hostname: 'web1.example.com',
  uptimeSeconds: 1_234_567,
  cpus: 8,
  load: [1.42, 1.1, 0.96],
  memory: { total: 33e9, available: 19e9, swapTotal: 4e9, swapFree: 3.9e9 },
  disks: [
    { mount: '/', total: 80e9, free: 44e9, inodesFreePct: 93 },
    { mount: '/srv', total: 900e9, free: 91e9, inodesFreePct: 88 },
  ],
  pressure: { cpu: 3.2, memorySome: 0.1, memoryFull: 0, ioSome: 1.4, ioFull: 0.6 },
  services: [
    { name: 'nginx', state: 'running', detail: null },
    { name: 'waker', state: 'running', detail: null },
    { name: 'mariadb', state: 'failed', detail: 'exit code 1' },
  ],
  brakes: [{ kind: 'deletes', used: 200, limit: 200, approved: 0, waiting: 3 }],
  missing: ['Disk quotas: /srv is mounted without usrquota, so disk space is measured but not limited.'],
  versions: { nginx: '1.26.3', 'php 8.4': '8.4.11', kernel: '6.12.48' },
}

const mac = 'c0ffee'.padEnd(64, '0')
const audit: MirrorReport = {
  ok: false,
  lines: 41,
  from: 1,
  head: { seq: 42, at: '2026-01-01T00:00:00.000Z', mac, seal: mac },
  appendOnly: true,
  end: { sequence: 0, checksum: '0'.repeat(64) },
  checkpoints: [],
  problems: [{ line: 7, problem: 'missing', message: 'line 7 is missing' }],
}

const plan = [
  { step: 'account of the tenant', action: 'create', diff: null },
  {
    step: 'file php-fpm.conf',
    action: 'change',
    diff: '--- old\n+++ new\n@@ -1,2 +1,2 @@\n [pool]\n-children = 4\n+children = 8',
  },
] as const

export interface AgentPeer {
  /** Jobs whose type is in here fail at their last step. */
  readonly failing: Set<string>
  close(): void
}

/** @param stepMs how long each step takes. */
export async function startAgentPeer(socketPath: string, stepMs: number): Promise<AgentPeer> {
  const socket = connect(socketPath)
  await once(socket, 'connect')
  const failing = new Set<string>()
  let setupOpen = true
  const send = (message: AgentMessage) => void (socket.destroyed || socket.write(encodeFrame(message)))
  const decoder = new FrameDecoder()
  socket.on('data', (chunk: Buffer) => {
    for (const value of decoder.push(chunk)) void answer(PanelMessage.parse(value))
  })
  const php = ['8.4', '8.2']
  const first = { epoch: 0, trail: null }
  send({
    t: 'hello',
    wire: wireVersion,
    version: '0.1.0',
    setupOpen,
    readOnly: null,
    running: [],
    php,
    unenforced: ['diskMb'],
    ...first,
  })

  async function answer(message: PanelMessage): Promise<void> {
    switch (message.t) {
      case 'job':
        return runJob(send, message, stepMs, failing.has(message.type))
      case 'ping':
        return send({ t: 'answer', ask: message.ask, value: null, failure: null })
      case 'ack':
      case 'audit':
        return
      case 'plan':
        return send({ t: 'answer', ask: message.ask, value: message.jobs.map(() => plan), failure: null })
      case 'inspect': {
        const answers = { health: { ...health, at: new Date().toISOString() }, drift: [], audit }
        const value = answers[message.what]
        return send({ t: 'answer', ask: message.ask, value, failure: null })
      }
      case 'drift_page':
        return send({ t: 'answer', ask: message.ask, value: { items: [], next: null }, failure: null })
      case 'inventory':
      case 'ssh_sessions':
        return send({ t: 'answer', ask: message.ask, value: [], failure: null })
      case 'account':
        return send({ t: 'answer', ask: message.ask, value: { uid: 20000 }, failure: null })
      case 'usage':
        return send({ t: 'answer', ask: message.ask, value: [], failure: null })
      case 'verify_root': {
        const ok = message.code === setupCode && message.password === rootPassword
        const value = { ok, retryAfterSeconds: null, refused: ok ? null : 'password' }
        return send({ t: 'answer', ask: message.ask, value, failure: null })
      }
      case 'close_setup':
        setupOpen = false
        return send({ t: 'answer', ask: message.ask, value: null, failure: null })
    }
  }
  return { failing, close: () => closed(socket) }
}

async function runJob(
  send: (message: AgentMessage) => void,
  { job, type, token }: Extract<PanelMessage, { t: 'job' }>,
  stepMs: number,
  fails: boolean,
): Promise<void> {
  const steps = [`account for ${type}`, 'directories', 'limits of the slice', 'route']
  send({ t: 'accepted', job, steps })
  for (const [index, name] of steps.entries()) {
    send({ t: 'step', job, index, name, state: 'running', note: null })
    await sleep(stepMs)
    const isLast = index === steps.length - 1
    if (isLast && fails) {
      const failure = {
        step: name,
        code: 'machine_failed',
        message: 'the web server refused it',
        help: 'Read its log.',
      }
      send({ t: 'step', job, index, name, state: 'failed', note: failure.message })
      return send({ t: 'finished', job, token, failure })
    }
    send({ t: 'step', job, index, name, state: 'done', note: null })
  }
  send({ t: 'finished', job, token, failure: null })
}

function closed(socket: Socket): void {
  socket.destroy()
}
