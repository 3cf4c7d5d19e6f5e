import { describe, expect, it } from 'vitest'
import type { Attempt } from './power-client.ts'
import type { Entry, Facts } from './power-facts.ts'
import { Hosting } from './power-hosting.ts'
import { unexpectedLines } from './power-log.ts'
import { verdict } from './power-verdict.ts'

type Job = [id: string, type: string, name: string]

/** Two tenants with a site each; everything was promised, and everything is there. */
const jobs: readonly Job[] = [
  ['j1', 'tenant.create', 'one'],
  ['j2', 'domain.create', 'a-one.example.org'],
  ['j3', 'tenant.create', 'two'],
  ['j4', 'domain.create', 'a-two.example.org'],
]

function entriesOf(tenant: string, uid: number): Entry[] {
  const own = { type: 'file', mode: '644', owner: '0:0' } as const
  return [
    { ...own, path: `/etc/userdb/${tenant}.user`, content: `{"uid":${uid}}` },
    { ...own, path: `/srv/www/${tenant}/sites/a-${tenant}.example.org/public/index.html`, content: 'ready' },
  ]
}

function facts(): Facts {
  const tenants = ['one', 'two'].map((name) => ({ id: name, name, status: 'active' }))
  const domains = tenants.map(({ name }) => ({
    id: `a-${name}.example.org`,
    name: `a-${name}.example.org`,
    status: 'active',
    tenant: name,
  }))
  const rows = jobs.map(([id, type, name], index) => {
    const tenant = name.includes('one') ? 'one' : 'two'
    return { id, type, name, index, tenant, kind: type.split('.')[0] ?? '' }
  })
  return {
    integrity: { panel: 'ok', agent: 'ok' },
    panelJobs: rows.map(({ id, type, name, index, tenant, kind }) => ({
      ...{ id, type, name, kind, sequence: index + 1, state: 'succeeded', token: 1, resource: name },
      ...{ tenant, tenantName: tenant, actor: 'admin@example.com', failure: null },
      ...{ startedAt: `2026-01-01T00:00:0${index}.0Z`, finishedAt: `2026-01-01T00:00:0${index}.9Z`, steps: [] },
    })),
    agentJobs: rows.map(({ id, type, name, index, tenant }) => ({
      ...{ id, type, seq: index + 1, state: 'succeeded', token: 1, tenant, resource: name, acknowledged: 1 },
    })),
    ends: rows.map(({ id }) => ({ job: id, failed: false })),
    fences: rows.map(({ name }) => ({ resource: name, token: 1 })),
    tenants: tenants.map((tenant) => ({ ...tenant, isDeleted: 0 })),
    domains: domains.map((domain) => ({ ...domain, isDeleted: 0 })),
    agentTenants: tenants.map((tenant, index) => ({ ...tenant, uid: 20_000 + index })),
    agentSites: domains,
    hosts: domains.map(({ name }) => name),
    entries: [...entriesOf('one', 20_000), ...entriesOf('two', 20_001)],
  }
}

function attempts(): Attempt[] {
  return jobs.map(([id, type, name], index) => ({
    number: index + 1,
    deed: { kind: type.startsWith('tenant') ? 'tenant' : 'domain', verb: 'create', name },
    outcome: { kind: 'acknowledged', jobs: [id] },
  }))
}

function found(spoil: (held: Facts, asked: Attempt[]) => void, seenEnds = new Map<string, string>()): string {
  const [held, asked] = [structuredClone(facts()), attempts()]
  spoil(held, asked)
  return verdict(held, { attempts: asked, seenEnds }).join('\n')
}

describe('the verdict after a power cut', () => {
  it('is silent when every promise was kept', () => {
    expect(found(() => {})).toBe('')
  })

  it.each<[string, (held: Facts, asked: Attempt[]) => void, RegExp]>([
    [
      'a damaged store',
      (held) => void Object.assign(held.integrity, { agent: 'row 3 missing' }),
      /agent's store: row 3 missing/,
    ],
    ['a lost job', (held) => void held.panelJobs.splice(3, 1), /acknowledged job j4 is lost/],
    [
      'a job without an end',
      (held) => void Object.assign(held.panelJobs[0] ?? {}, { state: 'running' }),
      /job j1 \(tenant.create\) is running for ever/,
    ],
    ['a job that nobody asked for', (_, asked) => void asked.pop(), /nobody asked for/],
    [
      'a refused request that was done',
      (_, asked) => void Object.assign(asked[2] ?? {}, { outcome: { kind: 'refused', status: 409, code: 'busy' } }),
      /nobody asked for/,
    ],
    [
      'sides that disagree',
      (held) => void Object.assign(held.agentJobs[1] ?? {}, { state: 'failed' }),
      /succeeded for the panel, and is failed for the agent/,
    ],
    [
      'a job that the root side never had',
      (held) => void held.agentJobs.pop(),
      /succeeded for the panel, and is unknown for the agent/,
    ],
    [
      'an end that was not told',
      (held) => void Object.assign(held.agentJobs[1] ?? {}, { acknowledged: 0 }),
      /its end was not told/,
    ],
    [
      'a token that fell',
      (held) => held.agentJobs.push({ ...held.agentJobs[0], id: 'j9', seq: 9 } as Facts['agentJobs'][number]),
      /the token of one fell to 1/,
    ],
    [
      'a fence behind its job',
      (held) => void Object.assign(held.fences[0] ?? {}, { token: 0 }),
      /the fence of one is below/,
    ],
    [
      'a row in another state',
      (held) => void Object.assign(held.tenants[0] ?? {}, { status: 'suspended' }),
      /tenant one is suspended, and should be active/,
    ],
    [
      'a tenant that the registry lost',
      (held) => void held.agentTenants.pop(),
      /two is none, and the successful jobs make it active/,
    ],
    [
      'two jobs of a tenant at once',
      (held) => void Object.assign(held.panelJobs[1] ?? {}, { startedAt: '2026-01-01T00:00:00.5Z' }),
      /began before job j1 had ended/,
    ],
    [
      'a job that ended twice',
      (held) => void Object.assign(held, { ends: [...held.ends, ...held.ends] }),
      /ended twice/,
    ],
    ['a host name that answers for nobody', (held) => void held.hosts.push('ghost.example.org'), /list of host names/],
    ['an empty file', (held) => void Object.assign(held.entries[2] ?? {}, { content: '' }), /files of two/],
    ['a file that is missing', (held) => void held.entries.pop(), /files of a-two\.example\.org/],
    [
      'a file with another mode',
      (held) => void Object.assign(held.entries[3] ?? {}, { mode: '600' }),
      /files of a-two\.example\.org/,
    ],
    [
      'something left behind',
      (held) => held.entries.push({ path: '/etc/userdb/.new-1', type: 'file', mode: '600', owner: '0:0', content: '' }),
      /left behind/,
    ],
  ])('names %s', (_, spoil, words) => {
    expect(found(spoil)).toMatch(words)
  })

  it('names an end that was seen and is another now', () => {
    expect(found(() => {}, new Map([['j1', 'failed']]))).toMatch(/seen failed, and now succeeded/)
  })

  it('leaves open what became of a request without an answer', () => {
    const unknown = { outcome: { kind: 'unknown', why: 'cut' } }
    expect(found((_, asked) => void Object.assign(asked[3] ?? {}, unknown))).toBe('')
  })
})

describe('the replay', () => {
  it('forgets what could never be made when it is deleted, and keeps in the trash what was', () => {
    const hosting = new Hosting()
    hosting.apply({ kind: 'tenant', verb: 'create', name: 'one' }, 'one', false)
    hosting.apply({ kind: 'domain', verb: 'create', name: 'a-one.example.org' }, 'one', false)
    hosting.apply({ kind: 'tenant', verb: 'create', name: 'two' }, 'two', true)
    for (const name of ['one', 'two']) hosting.apply({ kind: 'tenant', verb: 'delete', name }, name, true)

    expect([...hosting.tenants]).toEqual([['two', 'deleted']])
    expect([...hosting.domains]).toEqual([])
  })
})

describe('the replay of a suspension', () => {
  it.each(['tenant', 'domain'] as const)('brings a %s back from the trash as it was', (kind) => {
    const hosting = new Hosting()
    const statuses = (['create', 'suspend', 'delete', 'restore', 'unsuspend', 'delete', 'restore'] as const).map(
      (verb) => {
        hosting.apply({ kind, verb, name: 'one' }, 'one', true)
        return kind === 'tenant' ? hosting.tenants.get('one') : hosting.domains.get('one')?.status
      },
    )
    expect(statuses).toEqual(['active', 'suspended', 'deleted', 'suspended', 'active', 'deleted', 'active'])
  })
})

describe('lines of the journal', () => {
  it('are unexpected unless they tell what a cut explains', () => {
    const lines = [
      '[ 1.0] server wcpd[1]: {"level":40,"msg":"job is resumed"}',
      '[ 1.1] server wcpd[1]: {"level":30,"failure":null,"msg":"job ended"}',
      '[ 1.2] server systemd[1]: Started wcpd.service - WCP360 agent.',
      '[ 1.3] server wcpd[1]: {"level":50,"msg":"journal cannot be used"}',
      '[ 1.4] server systemd[1]: wcpd.service: Failed with result "exit-code".',
      '[ 1.5] server systemd[1]: sockets.target: Found ordering cycle',
      '[ 1.6] server wcpd[1]: {"level":40,"msg":"reconnecting"}',
    ]

    expect(unexpectedLines(lines.join('\n'))).toEqual(lines.slice(3))
  })
})
