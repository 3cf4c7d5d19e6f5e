import { describe, expect, it } from 'vitest'
import { type AgentJob, type History, type PanelJob, violations } from './history.ts'

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`

function panelJob(id: string, change: Partial<PanelJob> = {}): PanelJob {
  const sequence = change.sequence ?? 1
  const times = { startedAt: at(sequence * 10), finishedAt: at(sequence * 10 + 5), steps: [] }
  const job = {
    id,
    type: 'tenant.create',
    tenant: 't',
    resource: 't',
    name: 'acme',
    token: sequence,
    sequence,
    actor: 'root',
  }
  return { ...job, ...times, state: 'succeeded', ...change }
}

function agentJob(id: string, change: Partial<AgentJob> = {}): AgentJob {
  const seq = change.seq ?? 1
  return { id, type: 'tenant.create', tenant: 't', resource: 't', token: seq, seq, state: 'succeeded', ...change }
}

const suspended = { type: 'tenant.suspend', sequence: 2 } as const

/** A tenant created and suspended, both told to the client. */
const good: History = {
  client: [
    { at: 'submit', request: '1', wishes: ['tenant.create acme'] },
    { at: 'acknowledge', request: '1', jobs: ['a'] },
    { at: 'submit', request: '2', wishes: ['tenant.suspend acme'] },
    { at: 'acknowledge', request: '2', jobs: ['b'] },
  ],
  panel: [panelJob('a'), panelJob('b', suspended)],
  agent: [agentJob('a'), agentJob('b', { type: 'tenant.suspend', seq: 2 })],
  ends: [
    { job: 'a', failed: false },
    { job: 'b', failed: false },
  ],
  fences: new Map([['t', 2]]),
  registry: new Map([['t', 'suspended']]),
}

const about = (change: Partial<History>) => violations({ ...good, ...change })

describe('violations', () => {
  it('finds nothing wrong with what is as promised', () => {
    expect(violations(good)).toEqual([])
  })

  it('takes an outcome that nobody knows as it comes', () => {
    const client = [...good.client.slice(0, 3), { at: 'lose', request: '2' }] as const
    const onlyFirst = { panel: good.panel.slice(0, 1), agent: good.agent.slice(0, 1), ends: good.ends.slice(0, 1) }

    expect(about({ client })).toEqual([])
    expect(about({ client, ...onlyFirst, fences: new Map([['t', 1]]), registry: new Map([['t', 'active']]) })).toEqual(
      [],
    )
    expect(about({ client: client.slice(0, 3) })).toEqual([]) // the client itself is gone
  })

  it('finds an acknowledged job that nobody has', () => {
    const change = { panel: good.panel.slice(0, 1), agent: good.agent.slice(0, 1), ends: [] }
    expect(about({ ...change, registry: new Map([['t', 'active']]) })).toEqual(['acknowledged job b is lost'])
  })

  it('finds a job that nobody asked for', () => {
    const stranger = ['nobody asked for job b (tenant.suspend acme), or it was done twice']
    expect(about({ client: good.client.slice(0, 2) })).toEqual(stranger)
    expect(about({ client: [...good.client.slice(0, 3), { at: 'refuse', request: '2' }] })).toEqual(stranger)
  })

  it('finds a second job of one request without an answer', () => {
    const again = { type: 'tenant.suspend', sequence: 3 } as const
    const panel = [...good.panel, panelJob('c', again)]
    const agent = [...good.agent, agentJob('c', { type: 'tenant.suspend', seq: 3 })]
    const change = { client: good.client.slice(0, 3), panel, agent, fences: new Map([['t', 3]]) }
    expect(about(change)).toEqual(['nobody asked for job c (tenant.suspend acme), or it was done twice'])
  })

  it('finds a job that is another one than was promised', () => {
    const other = { ...suspended, name: 'other' }
    expect(about({ panel: [panelJob('a'), panelJob('b', other)] })).toEqual([
      'job b was promised for tenant.suspend acme, and is tenant.suspend other',
    ])
  })

  it('finds a job that the panel has lost, and one that is another for each side', () => {
    const client = good.client.slice(0, 2)
    expect(about({ client, panel: good.panel.slice(0, 1) })).toEqual([
      'job b (tenant.suspend) is known to the agent alone',
    ])
    const agent = [agentJob('a'), agentJob('b', { type: 'tenant.restore', seq: 2 })]
    expect(about({ agent, registry: new Map([['t', 'active']]) })).toEqual([
      'job b is tenant.suspend for the panel, and tenant.restore for the agent',
    ])
  })

  it('finds no stranger in what the panel queued by itself', () => {
    const panel = [panelJob('a'), panelJob('b', { ...suspended, actor: 'panel' })]
    expect(about({ client: good.client.slice(0, 2), panel })).toEqual([])
  })

  it.each(['queued', 'running', 'stalled'] as const)('finds a job that is %s for ever', (state) => {
    const panel = [panelJob('a'), panelJob('b', { ...suspended, state, finishedAt: null })]
    expect(about({ panel })).toEqual([`job b (tenant.suspend) is ${state} for ever on the panel's side`])
  })

  it.each(['queued', 'running', 'undoing'] as const)('finds a job that the agent left %s', (state) => {
    const agent = [agentJob('a'), agentJob('b', { type: 'tenant.suspend', seq: 2, state })]
    const found = about({ agent, registry: new Map([['t', 'active']]) })
    expect(found).toContain(`job b (tenant.suspend) is ${state} for ever on the agent's side`)
    expect(found).toContain(`job b (tenant.suspend) succeeded for the panel, and is ${state} for the agent`)
  })

  it('finds two sides that disagree on an end', () => {
    expect(about({ panel: [panelJob('a'), panelJob('b', { ...suspended, state: 'failed' })] })).toEqual([
      'job b (tenant.suspend) failed for the panel, and succeeded for the agent',
    ])
    expect(about({ panel: [panelJob('a'), panelJob('b', { ...suspended, state: 'cancelled' })] })).toEqual([
      'job b (tenant.suspend) was cancelled, and the agent has it as succeeded',
    ])
  })

  it('finds two sides that disagree on a token', () => {
    expect(about({ panel: [panelJob('a'), panelJob('b', { ...suspended, token: 3 })] })).toEqual([
      'job b (tenant.suspend) has token 3 for the panel, and 2 for the agent',
    ])
  })

  it('finds an effect that was had twice', () => {
    expect(about({ ends: [...good.ends, { job: 'b', failed: false }] })).toEqual(['job b ended twice'])
    expect(about({ agent: [...good.agent, agentJob('b', { type: 'tenant.suspend', seq: 3, token: 3 })] })).toContain(
      'job b is in the journal twice',
    )
    const again = agentJob('c', { type: 'tenant.suspend', seq: 3, token: 2 })
    expect(about({ agent: [...good.agent, again] })).toContain('two jobs had their effect on t with token 2')
  })

  it('finds two jobs of a tenant at once', () => {
    const panel = [panelJob('a'), panelJob('b', { ...suspended, startedAt: at(12), finishedAt: at(20) })]
    expect(about({ panel })).toEqual(['job b (tenant.suspend) began before job a had ended'])
  })

  it('finds no overlap between different tenants', () => {
    const other = { ...suspended, tenant: 'u', resource: 'u', startedAt: at(12), finishedAt: at(20) }
    const change = {
      panel: [panelJob('a'), panelJob('b', other)],
      agent: [agentJob('a'), agentJob('b', { type: 'tenant.suspend', tenant: 'u', resource: 'u', seq: 2 })],
      fences: new Map([
        ['t', 1],
        ['u', 2],
      ]),
    }
    const registry = new Map([['t', 'active']])
    expect(about({ ...change, registry })).toEqual([])
  })

  it.each([2, 30])('finds a step that was begun at second %i, outside of its job', (second) => {
    const steps = [{ name: 'link', startedAt: at(second), finishedAt: null }]
    expect(about({ panel: [panelJob('a', { steps }), panelJob('b', suspended)] })).toEqual([
      'step "link" of job a (tenant.create) was begun outside of its job',
    ])
  })

  it('finds a token that fell, on either side', () => {
    const panel = [panelJob('a', { token: 3 }), panelJob('b', suspended)]
    const agent = [agentJob('a', { token: 3 }), agentJob('b', { type: 'tenant.suspend', seq: 2 })]
    expect(about({ panel, agent, fences: new Map([['t', 3]]) })).toEqual([
      'the token of t fell to 2 in job b of the panel',
      'the token of t fell to 2 in job b of the agent',
    ])
  })

  it('finds a fence below what was accepted', () => {
    expect(about({ fences: new Map([['t', 1]]) })).toEqual(['the fence of t is below the accepted token 2'])
  })

  it('finds a machine that is not what the successful jobs make of it', () => {
    expect(about({ registry: new Map([['t', 'active']]) })).toEqual([
      't is active, and the successful jobs make it suspended',
    ])
    expect(about({ registry: new Map([...good.registry, ['u', 'active']]) })).toEqual([
      'u is active, and the successful jobs make it none',
    ])
  })

  it('leaves a failed job out of what the machine should be', () => {
    const panel = [panelJob('a'), panelJob('b', { ...suspended, state: 'failed' })]
    const agent = [agentJob('a'), agentJob('b', { type: 'tenant.suspend', seq: 2, state: 'failed' })]
    expect(about({ panel, agent, registry: new Map([['t', 'active']]) })).toEqual([])
  })

  it('makes nothing of the deletion of what was never made', () => {
    const agent = [agentJob('a', { state: 'failed' }), agentJob('b', { type: 'tenant.delete', seq: 2 })]
    const panel = [panelJob('a', { state: 'failed' }), panelJob('b', { type: 'tenant.delete', sequence: 2 })]
    const client = [{ at: 'submit', request: '1', wishes: ['tenant.create acme', 'tenant.delete acme'] }] as const
    expect(about({ client, panel, agent, registry: new Map() })).toEqual([])
    expect(about({ client, panel, agent, registry: new Map([['t', 'trashed']]) })).toEqual([
      't is trashed, and the successful jobs make it none',
    ])
  })

  /** Jobs that succeeded, one after the other, which the panel queued by itself. */
  const lived = (...jobs: (readonly [type: string, resource: string])[]) => {
    const agent = jobs.map(([type, resource], index) => agentJob(String(index), { type, resource, seq: index + 1 }))
    const panel = agent.map(({ id, type, resource, seq }) =>
      panelJob(id, { type, resource, sequence: seq, actor: 'panel' }),
    )
    const fences = new Map(agent.map(({ resource, seq }) => [resource, seq]))
    return { client: [], ends: [], agent, panel, fences }
  }

  it('brings back closed what was closed when it went to the trash', () => {
    const trashed = [
      ['tenant.delete', 't'],
      ['tenant.restore', 't'],
    ] as const
    const closed = lived(['tenant.create', 't'], ['tenant.suspend', 't'], ...trashed)
    expect(about({ ...closed, registry: new Map([['t', 'suspended']]) })).toEqual([])
    expect(about({ ...closed, registry: new Map([['t', 'active']]) })).toEqual([
      't is active, and the successful jobs make it suspended',
    ])
    const opened = lived(['tenant.create', 't'], ['tenant.suspend', 't'], ['tenant.unsuspend', 't'], ...trashed)
    expect(about({ ...opened, registry: new Map([['t', 'active']]) })).toEqual([])
  })

  it('has no trash for what a tenant owns beside its sites', () => {
    const key = lived(['tenant.create', 't'], ['ssh-key.create', 'k'])
    const both = new Map([
      ['t', 'active'],
      ['k', 'active'],
    ])
    expect(about({ ...key, registry: both })).toEqual([])
    const gone = lived(['tenant.create', 't'], ['ssh-key.create', 'k'], ['ssh-key.delete', 'k'])
    expect(about({ ...gone, registry: new Map([['t', 'active']]) })).toEqual([])
    expect(about({ ...gone, registry: both })).toEqual(['k is active, and the successful jobs make it none'])
  })

  it('fences a command of a tenant by itself, beside the other jobs', () => {
    const run = { type: 'domain.run', tenant: 't', token: 1 } as const
    const times = { startedAt: at(12), finishedAt: at(40) }
    const panel = [...good.panel, panelJob('c', { ...run, ...times, resource: 'd', sequence: 3, actor: 'panel' })]
    const agent = [...good.agent, agentJob('c', { ...run, resource: 'c', seq: 3 })]
    const fences = new Map([...good.fences, ['c', 1]])
    expect(about({ panel, agent, fences })).toEqual([])

    const another = panelJob('e', { ...run, ...times, resource: 'd', sequence: 4, actor: 'panel' })
    const agents = [...agent, agentJob('e', { ...run, resource: 'e', seq: 4 })]
    expect(about({ panel: [...panel, another], agent: agents, fences: new Map([...fences, ['e', 1]]) })).toEqual([
      'job e (domain.run) began before job c had ended',
    ])
  })

  it('knows what a request is about by its id as well', () => {
    const asked = [{ at: 'submit', request: '2', wishes: ['tenant.suspend t'] }, good.client[3]] as const
    const client = [...good.client.slice(0, 2), ...asked] as History['client']
    expect(about({ client })).toEqual([])
    expect(about({ client: client.slice(0, 3) })).toEqual([])
  })

  it('purges the sites with their tenant', () => {
    const agent = [
      agentJob('a'),
      agentJob('s', { type: 'domain.create', resource: 'd', seq: 2 }),
      agentJob('x', { type: 'tenant.delete', seq: 3 }),
      agentJob('p', { type: 'tenant.purge', seq: 4 }),
    ]
    const panel = agent.map(({ id, type, resource, seq }) =>
      panelJob(id, { type, resource, sequence: seq, actor: 'panel' }),
    )
    const fences = new Map([
      ['t', 4],
      ['d', 2],
    ])
    const change = { client: [], panel, ends: [], agent, fences }
    expect(about({ ...change, registry: new Map() })).toEqual([])
    expect(about({ ...change, registry: new Map([['d', 'active']]) })).toEqual([
      'd is active, and the successful jobs make it none',
    ])
  })
})
