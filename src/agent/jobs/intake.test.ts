/** Every bound of the intake at its edge. */
import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WcpError } from '../../contract/errors.ts'
import type { AgentMessage } from '../../contract/wire.ts'
import { createFiles } from '../os/files.ts'
import { layout } from '../os/layout.ts'
import { Intake } from './intake.ts'
import type { Phase } from './phases.ts'
import { digestOf } from './setup-window.ts'

const tenant = randomUUID()
let root: string
let said: AgentMessage[]
/** What went to the audit log: refusals, and the sequences of mirrored entries. */
let refused: object[]
let mirrored: number[]
let warnings: { reason: string }[]
let phase: Phase
let openJobs: number
let holds: string | undefined
let room: WcpError | undefined
let isKnown: boolean
let readOnlyReason: string | null
let verifyRoot: () => Promise<boolean>
let intake: Intake

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-intake-'))
  said = []
  refused = []
  mirrored = []
  warnings = []
  phase = 'serving'
  openJobs = 0
  holds = undefined
  room = undefined
  isKnown = false
  readOnlyReason = null
  verifyRoot = async () => true
  const machine = {
    places: layout(root),
    files: createFiles({ root, owner: process.getuid?.() ?? 0 }),
    now: () => new Date(),
  }
  const job = { seq: 1, failure: null, state: 'succeeded' }
  const journal = {
    job: () => (isKnown ? job : undefined),
    accept: (given: object) =>
      isKnown ? { verdict: 'known', job } : { verdict: 'accepted', job: { ...job, ...given } },
  }
  const options = {
    machine,
    audit: {
      refused: (kind: string, event: object) => refused.push({ kind, ...event }),
      mirror: (_after: object, entries: { sequence: number }[]) => mirrored.push(...entries.map((one) => one.sequence)),
      must() {},
      note() {},
    },
    log: { info() {}, warn: (facts: { reason: string }) => warnings.push(facts), error() {} },
    emit: (message: AgentMessage) => said.push(message),
    verifyRoot: () => verifyRoot(),
    lackOfRoom: () => room,
  }
  const doers = {
    brake: { holds: () => holds },
    phase: () => phase,
    readOnlyReason: () => readOnlyReason,
    tellAudit() {},
    journal: () => journal,
    work: {
      start: ({ id }: { id: string }) => said.push({ t: 'heartbeat', job: id } as never),
      get open() {
        return openJobs
      },
    },
    ends: { tell: ({ id }: { id: string }) => said.push({ t: 'log', job: id, line: 'told again' } as never) },
    inspect: () => inspection.promise,
  }
  intake = new Intake(options as never, doers as never) // what else they have is not asked for here
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

let inspection = Promise.withResolvers<unknown>()

/** @returns what became of it: `started`, `again`, `held`, or the code of its refusal */
function send(type: string, payload: object = { tenant }): string {
  const job = randomUUID()
  intake.take({ t: 'job', job, type, token: 1, epoch: 0, staff: true, reseller: null, payload })
  const message = said.find((one) => 'job' in one && one.job === job)
  if (message?.t === 'finished') return message.failure?.code ?? 'done'
  return { heartbeat: 'started', log: 'again', held: 'held' }[message?.t as 'held'] ?? 'nothing'
}

describe('jobs', () => {
  it.each([
    [999, 'started'],
    [1000, 'busy'],
  ])('with %i open ones, the next is %s', (open, became) => {
    openJobs = open
    expect(send('tenant.suspend')).toBe(became)
    expect(send('tenant.delete')).toBe(became)
  })

  it('that take no room, or make some, go on a full disk', () => {
    room = new WcpError('unavailable', 'Cannot begin: the disk is full')
    const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

    expect(send('tenant.create', { tenant, name: 'acme', limits })).toBe('unavailable')
    expect(send('tenant.unsuspend')).toBe('unavailable')
    expect(send('tenant.suspend')).toBe('started')
    expect(send('domain.suspend', { tenant, domain: randomUUID() })).toBe('started')
    expect(send('tenant.delete')).toBe('started')
    expect(send('tenant.purge')).toBe('started')
  })

  it('that were accepted before are told again, whatever else stands in the way', () => {
    isKnown = true
    holds = 'waits'
    openJobs = 1000
    room = new WcpError('unavailable', 'Cannot begin: the disk is full')

    expect(send('tenant.delete')).toBe('again')
    isKnown = false
    openJobs = 0
    expect(send('tenant.delete')).toBe('held')
  })
})

it('answers sixteen questions at once, and the next when one of them is answered', async () => {
  inspection = Promise.withResolvers()
  const ask = () => {
    const id = randomUUID()
    intake.take({ t: 'inspect', ask: id, what: 'health' })
    return id
  }
  const codeOf = (id: string) => {
    const answer = said.find((one) => one.t === 'answer' && one.ask === id)
    return answer?.t === 'answer' ? (answer.failure?.code ?? 'answered') : 'waits'
  }
  const first = Array.from({ length: 16 }, ask)

  const over = ask()
  expect(codeOf(over)).toBe('busy')
  expect(new Set(first.map(codeOf))).toEqual(new Set(['waits']))
  inspection.resolve({})
  await new Promise((resolve) => setImmediate(resolve))
  expect(new Set(first.map(codeOf))).toEqual(new Set(['answered']))
  inspection = Promise.withResolvers()
  expect(codeOf(ask())).toBe('waits')
})

describe('what a panel of ours never sends', () => {
  const strange = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${'x'.repeat(38)}${index}`, 1]))

  it('is refused with its reason in the audit log and in the log, neither longer than 500 characters', () => {
    const job = randomUUID()
    const from = { job, token: 7, epoch: 0, staff: true, reseller: null }
    const of = { kind: 'malformed', event: 'job.refused', job, token: 7, code: 'bad_input' }

    expect(intake.take({ t: 'job', ...from, type: 'tenant.burn', payload: {} })).toBe('close')
    expect(intake.take({ t: 'job', ...from, type: 'tenant.suspend', payload: { tenant, ...strange } })).toBe('close')

    expect(refused).toEqual([
      { ...of, type: 'tenant.burn', problem: 'Cannot do "tenant.burn": there is no such job' },
      { ...of, type: 'tenant.suspend', problem: expect.stringMatching(/^.{500}$/s) },
    ])
    expect(warnings[1]?.reason).toHaveLength(500)
  })

  it('is a plan of jobs that do not fit: it is answered, and the connection ends', () => {
    const ask = randomUUID()

    expect(intake.take({ t: 'plan', ask, jobs: [{ type: 'tenant.suspend', payload: {} }] })).toBe('close')

    expect(said).toMatchObject([{ t: 'answer', ask, failure: { code: 'bad_input' } }])
  })

  it.each([
    [[5, 6, 7], 'ok'],
    [[5], 'ok'],
    [[4, 5], 'close'],
    [[6, 7], 'close'],
    [[5, 7], 'close'],
    [[5, 5], 'close'],
  ] as const)('are audit entries out of order: after 4, %j are %s', (sequences, expected) => {
    const checksum = 'a'.repeat(64)
    const none = { actorId: null, tenantId: null, ip: null, requestId: null }
    const entry = { ...none, id: tenant, at: '', checksum, actor: '', action: '', outcome: 'ok', metadata: '{}' }
    const entries = sequences.map((sequence) => ({ ...entry, sequence }))

    expect(intake.take({ t: 'audit', after: { sequence: 4, checksum }, entries })).toBe(expected)

    expect(mirrored).toEqual(expected === 'ok' ? sequences : [])
  })

  it('refuses a job in a phase that has none, with its token in the audit log', () => {
    phase = 'setup'

    expect(send('tenant.suspend')).toBe('unavailable')
    expect(refused).toMatchObject([
      { kind: 'refused', event: 'job.refused', type: 'tenant.suspend', token: 1, code: 'unavailable' },
    ])
  })
})

it.each([
  ['setup', null, 'Cannot do this now: setup is not closed yet'],
  ['read-only', 'the disk is damaged', 'Cannot do this now: the root side only inspects: the disk is damaged'],
] as const)('says why nothing is done: %s', (now, reason, message) => {
  phase = now
  readOnlyReason = reason

  expect(send('tenant.suspend')).toBe('unavailable')
  const ask = randomUUID()
  expect(intake.take({ t: 'plan', ask, jobs: [{ type: 'tenant.suspend', payload: { tenant } }] })).toBe('ok')
  expect(intake.take({ t: 'stop', job: randomUUID() })).toBe('ok')

  expect(said).toMatchObject([
    { t: 'finished', failure: { code: 'unavailable', message } },
    { t: 'answer', ask, value: null, failure: { code: 'unavailable', message } },
  ])
  expect(refused).toMatchObject([{ event: 'job.refused', problem: message.slice('Cannot do this now: '.length) }])
})

describe.skipIf(process.getuid?.() !== 0)("the check of root's password", () => {
  const code = 'the code'
  const word = () => layout(root).setupWord

  beforeEach(() => {
    phase = 'setup'
    mkdirSync(dirname(word()), { recursive: true })
    const until = new Date(Date.now() + 60_000).toISOString()
    writeFileSync(word(), JSON.stringify({ digest: digestOf(code).toString('hex'), until }), { mode: 0o600 })
    chownSync(word(), 0, 0)
  })

  async function check(): Promise<unknown> {
    const ask = randomUUID()
    intake.take({ t: 'verify_root', ask, password: 'x', code, from: '::1' })
    for (;;) {
      const answer = said.find((one) => one.t === 'answer' && one.ask === ask)
      if (answer?.t === 'answer') return answer.value
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('is no yes when setup was closed meanwhile, and leaves the code', async () => {
    verifyRoot = async () => {
      phase = 'serving'
      return true
    }
    expect(await check()).toMatchObject({ ok: false })
    expect(existsSync(word())).toBe(true)
  })

  it('is made once at a time', async () => {
    const first = Promise.withResolvers<boolean>()
    verifyRoot = () => first.promise
    const one = check()

    expect(await check()).toEqual({ ok: false, retryAfterSeconds: 1, refused: null })
    first.resolve(true)
    expect(await one).toMatchObject({ ok: true })
    expect(existsSync(word())).toBe(false)
  })

  it('is made five times a minute, to the millisecond', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      verifyRoot = async () => false
      const wrong = { ok: false, retryAfterSeconds: null, refused: 'password' }
      for (let checks = 0; checks < 5; checks++) expect(await check()).toEqual(wrong)
      expect(await check()).toEqual({ ok: false, retryAfterSeconds: 60, refused: null })
      vi.advanceTimersByTime(59_999)
      expect(await check()).toEqual({ ok: false, retryAfterSeconds: 1, refused: null })
      vi.advanceTimersByTime(1)
      expect(await check()).toEqual(wrong)
    } finally {
      vi.useRealTimers()
    }
  })

  it('that fails is told as a failure, and does not keep the next one out', async () => {
    verifyRoot = () => Promise.reject(new Error('PAM is away'))
    const failed = randomUUID()
    intake.take({ t: 'verify_root', ask: failed, password: 'x', code, from: '::1' })
    await vi.waitUntil(() => said.some((one) => one.t === 'answer' && one.ask === failed))
    expect(said).toMatchObject([{ value: null, failure: { code: 'internal' } }])

    verifyRoot = async () => true
    expect(await check()).toMatchObject({ ok: true })
  })

  it.each(['yes', 1, {}, undefined])('takes %o for no', async (answer) => {
    verifyRoot = async () => answer as never
    expect(await check()).toMatchObject({ ok: false, refused: 'password' })
  })
})
