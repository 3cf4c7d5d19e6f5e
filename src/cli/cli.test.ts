import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { asWcpError, WcpError } from '../contract/errors.ts'
import { type AnyOperation, operationsFor } from '../contract/operation.ts'
import type { Output } from '../lib/print.ts'
import type { Ask } from './ask.ts'
import { type CallPanel, panelClient } from './client.ts'
import { candidatesFor } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import { runProgram } from './program.ts'
import { runWords } from './run-words.ts'

const defineOperation = operationsFor<object>()
const notHere = async () => {
  throw new Error('operations run in the panel')
}

const operations: readonly AnyOperation[] = [
  defineOperation({
    name: 'tenant.list',
    summary: 'List the tenants',
    effect: 'read',
    policy: { scopes: ['global'] },
    http: 'GET /tenants',
    positional: [],
    columns: ['name', 'status'],
    input: () => z.strictObject({ limit: z.int().optional(), search: z.string().optional() }),
    output: () => z.object({ items: z.array(z.object({ name: z.string() })), nextCursor: z.string().nullable() }),
    run: notHere,
  }),
  defineOperation({
    name: 'tenant.delete',
    summary: 'Delete a tenant',
    effect: 'machine',
    policy: { scopes: ['global'] },
    http: 'DELETE /tenants/{tenant}',
    positional: ['tenant'],
    confirm: 'Delete the tenant and its sites?',
    input: () => z.strictObject({ tenant: z.string().describe('id or name') }),
    output: () => z.object({ id: z.string(), jobId: z.string() }),
    run: notHere,
  }),
  defineOperation({
    name: 'database.create',
    summary: 'Create a database',
    effect: 'machine',
    answersOnce: true,
    policy: { scopes: ['global'] },
    http: 'POST /databases',
    positional: ['name'],
    input: () => z.strictObject({ name: z.string().describe('name') }),
    output: () => z.object({ id: z.string(), jobId: z.string(), password: z.string() }),
    run: notHere,
  }),
  defineOperation({
    name: 'user.create',
    summary: 'Create a user',
    effect: 'write',
    policy: { scopes: ['global'] },
    http: 'POST /users',
    positional: ['email'],
    secret: ['password'],
    input: () =>
      z.strictObject({
        email: z.string(),
        password: z.string(),
        role: z.enum(['system_admin', 'user']).optional(),
      }),
    output: () => z.object({ id: z.string() }),
    run: notHere,
  }),
  defineOperation({
    name: 'user.update',
    summary: 'Change a user',
    effect: 'write',
    policy: { scopes: ['global'] },
    http: 'PATCH /users/{user}',
    positional: ['user'],
    secret: ['password'],
    input: () => z.strictObject({ user: z.string(), password: z.string().optional(), role: z.string().optional() }),
    output: () => z.object({ id: z.string() }),
    run: notHere,
  }),
]

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

describe('wcp', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-cli-'))
  const socketPath = join(directory, 'cli.sock')
  let server: Server
  let seen: Seen[]
  /** Status 0: the panel is killed. */
  let answers: { status: number; body: unknown }[]
  let keys: unknown[]
  let hints: string[]
  let written: { out: string; err: string }
  let ask: Ask

  beforeEach(async () => {
    seen = []
    answers = []
    keys = []
    hints = []
    written = { out: '', err: '' }
    ask = { secret: async () => 'correct horse battery', text: async () => '', yes: async () => true }
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen.push({ method: request.method, url: request.url, body: Buffer.concat(chunks).toString() })
      keys.push(request.headers['idempotency-key'])
      const { status, body } = answers.shift() ?? { status: 500, body: null }
      if (status === 0) request.socket.destroy()
      else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((done) => server.listen(socketPath, done))
  })

  afterEach(async () => {
    await new Promise((done) => server.close(done))
  })

  function output(): Output {
    return {
      out: (text) => {
        written.out += text
      },
      err: (text) => {
        written.err += text
      },
      colour: false,
    }
  }

  function terminal(call: CallPanel) {
    const onInterrupt = (hint: string) => void hints.push(hint)
    return { output: output(), call, ask, self: 'wcp', onInterrupt, patience: { goneMs: 2000, absentMs: 0 } }
  }

  function wcp(...words: string[]): Promise<number> {
    const call = panelClient(socketPath)
    const run = (all: readonly string[]) => runWords(all, operations, terminal(call))
    const { out: write, err: writeError } = output()
    return runProgram({ operations, locals: [], version: '1.2.3', write, writeError, runWords: run }, words)
  }

  it('prints a list as a table', async () => {
    answers = [{ status: 200, body: { items: [{ name: 'acme', status: 'active', id: 'x' }], nextCursor: 'c2' } }]

    expect(await wcp('tenant', 'list', '--limit', '1')).toBe(0)

    expect(seen).toEqual([{ method: 'GET', url: '/api/v1/tenants?limit=1', body: '' }])
    expect(written.out).toBe('name  status\nacme  active\n')
    expect(written.err).toContain('--cursor c2')
  })

  it('follows a job as often as the panel lets it', async () => {
    const problem = {
      code: 'too_many_requests',
      title: 'Cannot do this now',
      help: 'Wait.',
      details: { retryAfterSeconds: 0 },
    }
    const job = { id: 'j1', type: 'tenant.delete', startedAt: null, state: 'succeeded', failure: null, steps: [] }
    answers = [
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      { status: 429, body: problem },
      { status: 429, body: problem },
      { status: 200, body: job },
    ]

    expect(await wcp('tenant', 'delete', 'acme', '--yes')).toBe(0)

    expect(seen.map(({ url }) => url)).toEqual(['/api/v1/tenants/acme', ...Array(3).fill('/api/v1/jobs/j1')])
    expect(written.err).toContain('tenant.delete succeeded')
  })

  it('shows once what nobody can ask for again, and then follows the job', async () => {
    const job = { id: 'j1', type: 'database.create', startedAt: null, state: 'succeeded', failure: null, steps: [] }
    answers = [
      { status: 201, body: { id: 'd1', jobId: 'j1', password: 'new and secret' } },
      { status: 200, body: job },
    ]

    expect(await wcp('database', 'create', 'shop')).toBe(0)

    expect(written.out).toBe('password  new and secret\n')
    expect(written.err).toContain('database.create succeeded')
  })

  it('sends a change again, with the key it had, and follows its job when the panel is killed', async () => {
    const job = { id: 'j1', type: 'tenant.delete', startedAt: null, failure: null, steps: [] }
    answers = [
      { status: 0, body: null },
      { status: 409, body: { code: 'conflict', title: 'Cannot', help: 'Wait.', details: { retryAfterSeconds: 1 } } },
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      { status: 200, body: { ...job, state: 'running' } },
      { status: 0, body: null },
      { status: 200, body: { ...job, state: 'succeeded' } },
    ]

    expect(await wcp('tenant', 'delete', 'acme', '--yes')).toBe(0)

    expect(seen.map(({ method }) => method)).toEqual(['DELETE', 'DELETE', 'DELETE', 'GET', 'GET', 'GET'])
    expect(keys[0]).toMatch(/^[\da-f-]{36}$/)
    expect(keys).toEqual([keys[0], keys[0], keys[0], undefined, undefined, undefined])
    expect(written.err).toContain('The panel does not answer; waiting for it …\njob j1\n')
    expect(written.err).toContain('tenant.delete succeeded')
  })

  it('sends a change again to a panel that has just begun, and gives up at once on one that cannot', async () => {
    const unavailable = (details: object) => ({
      status: 503,
      body: { code: 'unavailable', title: 'Cannot', help: 'Wait.', details },
    })
    const job = { id: 'j1', type: 'tenant.delete', startedAt: null, state: 'succeeded', failure: null, steps: [] }
    answers = [
      unavailable({ retryAfterSeconds: 1 }),
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      { status: 200, body: job },
    ]
    expect(await wcp('tenant', 'delete', 'acme', '--yes')).toBe(0)
    expect(keys[1]).toBe(keys[0])

    answers = [unavailable({}), unavailable({ retryAfterSeconds: 60 })]
    for (const _ of answers.slice())
      expect(await wcp('tenant', 'delete', 'acme', '--yes').catch(asWcpError)).toMatchObject({ code: 'unavailable' })
  })

  it('says how to watch on: to who leaves, and when the panel stays away', async () => {
    answers = [
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      ...Array.from({ length: 100 }, () => ({ status: 0, body: null })),
    ]

    const error = await wcp('tenant', 'delete', 'acme', '--yes').catch(asWcpError)

    expect(error).toMatchObject({ code: 'unavailable', help: expect.stringContaining('"wcp job watch j1"') })
    expect(hints).toEqual([
      expect.stringContaining('the same command, given again within an hour, answers with its job'),
      'The job goes on; watch it with "wcp job watch j1".',
    ])
  })

  it('gives a reading up at once', async () => {
    answers = [{ status: 0, body: null }]

    expect(await wcp('tenant', 'list').catch(asWcpError)).toMatchObject({ code: 'unavailable' })

    expect(seen).toHaveLength(1)
  })

  it('prints the JSON answer as it is', async () => {
    const body = { items: [], nextCursor: null }
    answers = [{ status: 200, body }]

    await wcp('tenant', 'list', '--json')

    expect(JSON.parse(written.out)).toEqual(body)
  })

  it('follows the job of a change to its end', async () => {
    const job = { id: 'j1', type: 'tenant.delete', startedAt: null, failure: null }
    const step = { position: 0, name: 'trash', state: 'done', note: null }
    answers = [
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      { status: 200, body: { ...job, state: 'running', steps: [{ ...step, state: 'running' }] } },
      { status: 200, body: { ...job, state: 'succeeded', steps: [step] } },
    ]

    expect(await wcp('tenant', 'delete', 'acme')).toBe(0)

    expect(written.err).toContain('✓ trash')
    expect(written.err).toContain('tenant.delete succeeded')
  })

  it.each([
    { startedAt: null, words: 'the root side does not take it', cancel: true },
    { startedAt: '2026-03-01T12:00:00.000Z', words: 'the root side does not tell how it goes', cancel: false },
  ])(
    'says that a job has stalled, and how to cancel one that nobody took: $words',
    async ({ startedAt, words, cancel }) => {
      const job = { id: 'j1', type: 'tenant.delete', startedAt, failure: null, steps: [] }
      answers = [
        { status: 202, body: { id: 't1', jobId: 'j1' } },
        { status: 200, body: { ...job, state: 'stalled' } },
        { status: 200, body: { ...job, state: 'succeeded' } },
      ]

      expect(await wcp('tenant', 'delete', 'acme')).toBe(0)

      expect(written.err).toContain(`stalled: ${words}`)
      expect(written.err.includes('job cancel j1')).toBe(cancel)
    },
  )

  it('ends with the exit code of a failed job and says which step, why and what to do', async () => {
    const failure = {
      step: 'trash',
      code: 'machine_failed',
      message: 'Cannot move it: disk full',
      help: 'Free some space.',
    }
    answers = [
      { status: 202, body: { id: 't1', jobId: 'j1' } },
      { status: 200, body: { id: 'j1', type: 'tenant.delete', startedAt: null, state: 'failed', failure, steps: [] } },
    ]

    expect(await wcp('tenant', 'delete', 'acme')).toBe(10)

    expect(written.err).toContain('Cannot move it: disk full\n  step: trash\nFree some space.')
  })

  it('follows the job of the first site as well when a tenant was made with one', async () => {
    const job = (id: string, type: string, failure: object | null) => ({
      status: 200,
      body: { id, type, startedAt: null, state: failure === null ? 'succeeded' : 'failed', failure, steps: [] },
    })
    const failure = { step: 'site', code: 'conflict', message: 'Cannot make it: taken', help: 'Choose another.' }
    answers = [
      { status: 202, body: { id: 't1', jobId: 'j1', domain: { id: 'd1', jobId: 'j2' } } },
      job('j1', 'tenant.create', null),
      job('j2', 'domain.create', failure),
    ]

    expect(await wcp('tenant', 'delete', 'acme')).toBe(6)

    expect(written.err).toContain('tenant.create succeeded\n')
    expect(written.err).toContain('Cannot make it: taken\n  step: site')
  })

  it('sends nothing when the question is answered with no', async () => {
    ask = { ...ask, yes: async () => false }
    await expect(wcp('tenant', 'delete', 'acme')).rejects.toThrow(/without a yes/)
    expect(seen).toEqual([])
  })

  it('asks for a password and never takes it from the command line', async () => {
    answers = [{ status: 201, body: { id: 'u1' } }]
    await wcp('user', 'create', 'a@example.com')
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ email: 'a@example.com', password: 'correct horse battery' })

    await expect(wcp('user', 'create', 'a@example.com', '--password', 'x')).rejects.toThrow(/other users/)
    expect(seen).toHaveLength(1)
  })

  it('asks for a secret that may be left out when it is named', async () => {
    answers = [
      { status: 200, body: { id: 'u1' } },
      { status: 200, body: { id: 'u1' } },
    ]
    await wcp('user', 'update', 'a@example.com', '--password')
    await wcp('user', 'update', 'a@example.com', '--role', 'user')

    expect(seen.map(({ body }) => JSON.parse(body))).toEqual([{ password: 'correct horse battery' }, { role: 'user' }])
    await wcp('user', 'update', '--help')
    expect(written.out).toMatch(/--password +\(the value is asked for\)/)
  })

  it('throws the problem that the panel answered, fields and all', async () => {
    const fields = [{ field: 'email', problem: 'no address' }]
    answers = [
      { status: 422, body: { code: 'bad_input', title: 'Cannot create the user', help: 'Correct it.', fields } },
    ]

    const error = await wcp('user', 'create', 'a').catch(asWcpError)

    expect(error).toBeInstanceOf(WcpError)
    expect(error).toMatchObject({ code: 'bad_input', message: 'Cannot create the user', fields })
  })

  it('says so when the panel does not run', async () => {
    await expect(panelClient(join(directory, 'nothing.sock'))({ method: 'GET', target: '/' })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  it('explains an operation', async () => {
    expect(await wcp('user', 'create', '--help')).toBe(0)
    expect(written.out).toContain('wcp user create <email>')
    expect(written.out).toContain('--role system_admin|user')
    expect(written.out).toContain('API: POST /api/v1/users')
    expect(written.out).not.toContain('--password')
    expect(written.out).toMatch(/Asked for:\n +password +without a terminal it is read as a line from standard input/)
  })

  it('explains it after "help" too, and lists its arguments beside it', async () => {
    expect(await wcp('help', 'user', 'create')).toBe(0)
    expect(written.out).toContain('wcp user create <email>')

    expect(await wcp('help', 'user')).toBe(0)
    expect(written.out).toMatch(/ create <email> +Create a user\n/)
    expect(seen).toEqual([])
  })

  it('has the panel name a missing password beside all else that is wrong, but sends no change without one', async () => {
    ask = { ...ask, secret: async () => '' }
    answers = [{ status: 422, body: { code: 'bad_input', title: 'Cannot', help: 'Correct it.' } }]

    await expect(wcp('user', 'create', 'bob')).rejects.toMatchObject({ code: 'bad_input' })
    await expect(wcp('user', 'update', 'bob', '--password')).rejects.toThrow('without a password')

    expect(seen.map(({ body }) => body)).toEqual(['{"email":"bob"}'])
  })

  it('lists what can be done, and its exit codes, when nothing is asked', async () => {
    expect(await wcp()).toBe(0)
    expect(written.out).toMatch(/tenant +list, delete\n/)
    expect(written.out).toContain('  11  unavailable')
    expect(written.out).toMatch(/With every command:\n +--json .*\n +--plan /)
    expect(written.err).toBe('')
  })

  it('ends with 2 on an unknown command', async () => {
    expect(await wcp('tennant', 'list')).toBe(2)
    expect(written.err).toContain('tenant')
  })

  it('completes kinds, verbs, options, choices and names', async () => {
    const completion = { operations, locals: [{ words: 'status' }], call: panelClient(socketPath) }
    expect(await candidatesFor(['t'], completion)).toEqual(['tenant'])
    expect(await candidatesFor(['tenant', ''], completion)).toEqual(['list', 'delete'])
    expect(await candidatesFor(['user', 'create', '--r'], completion)).toEqual(['--role'])
    expect(await candidatesFor(['user', 'create', '--role', 's'], completion)).toEqual(['system_admin'])
    answers = [
      {
        status: 200,
        body: {
          items: [
            { id: '1', name: 'acme' },
            { id: '2', name: 'bolt' },
          ],
          nextCursor: null,
        },
      },
    ]
    expect(await candidatesFor(['tenant', 'delete', 'a'], completion)).toEqual(['acme'])
  })

  it('shows the configuration without what opens something', async () => {
    const file = join(directory, 'config.yaml')
    const secret = 'hush-hush'
    const lines = [
      `smtp: smtps://panel:${secret}@mail.example.com`,
      `acme_binding: kid-1 ${secret}`,
      `store: postgres://panel:${secret}@db.example.com/panel`,
    ]
    writeFileSync(file, lines.join('\n'))
    const show = configCommands(file, output()).find(({ words }) => words === 'config show')

    for (const json of [true, false]) {
      written.out = ''
      await show?.run([], { json })
      for (const shown of ['mail.example.com', 'kid-1', 'postgres://panel:…@db.example.com', '…'])
        expect(written.out).toContain(shown)
      expect(written.out).not.toContain(secret)
    }
    rmSync(file)
  })

  it('sets one key of the configuration and keeps the rest, comments too', async () => {
    const file = join(directory, 'config.yaml')
    writeFileSync(file, '# mine\nlog_level: info # quiet\njobs_at_once: 4\n')
    const set = configCommands(file, output()).find(({ words }) => words === 'config set')

    await set?.run(['jobs_at_once', '8'], {})
    expect(readFileSync(file, 'utf8')).toBe('# mine\nlog_level: info # quiet\njobs_at_once: 8\n')

    await expect(set?.run(['log_level', 'loud'], {})).rejects.toMatchObject({ code: 'bad_input' })
    expect(readFileSync(file, 'utf8')).toContain('log_level: info')
    rmSync(file)
  })
})
