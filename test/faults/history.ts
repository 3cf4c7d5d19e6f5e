/**
 * Judges what was seen of jobs from outside: what a client was told, what the panel's rows say, what the agent's journal
 * says, and how the machine is in the end. Pure; the machine must be at rest when its side is read.
 *
 * What a client never heard an answer to is unknown: it may have become a job or not, and both are right.
 */

/** What a client saw of one request. */
export type ClientEvent =
  | { readonly at: 'submit'; readonly request: string }
  | { readonly at: 'acknowledge'; readonly request: string; readonly job: string }
  | { readonly at: 'refuse'; readonly request: string }
  /** The connection ended before an answer. */
  | { readonly at: 'lose'; readonly request: string }

export interface Step {
  readonly name: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
}

/** A row of the panel's `jobs`, with its `job_steps`. Times are ISO 8601 by the panel's clock. */
export interface PanelJob {
  readonly id: string
  readonly type: string
  readonly tenant: string
  readonly resource: string
  /** Fencing token. */
  readonly token: number
  /** Order of queueing. */
  readonly sequence: number
  readonly state: 'queued' | 'running' | 'stalled' | 'succeeded' | 'failed' | 'cancelled'
  /** `panel` for what it queued by itself. */
  readonly actor: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly steps: readonly Step[]
}

/** A row of the agent's journal. */
export interface AgentJob {
  readonly id: string
  readonly type: string
  readonly tenant: string
  readonly resource: string
  readonly token: number
  /** Order of acceptance. */
  readonly seq: number
  readonly state: 'queued' | 'running' | 'undoing' | 'stuck' | 'succeeded' | 'failed'
}

/** A line of the agent's log that says that a job has ended; each is said once in the life of a job. */
export interface LoggedEnd {
  readonly job: string
  readonly failed: boolean
}

export interface History {
  readonly client: readonly ClientEvent[]
  readonly panel: readonly PanelJob[]
  readonly agent: readonly AgentJob[]
  readonly ends: readonly LoggedEnd[]
  /** The highest token accepted for each resource, as the agent's fences say. */
  readonly fences: ReadonlyMap<string, number>
  /** The state of each resource in the agent's registry; what has no row, or was purged, is `none`. */
  readonly registry: ReadonlyMap<string, string>
}

/** One sentence for each thing that must not be; none when everything is as promised. */
export function violations(history: History): readonly string[] {
  return [
    ...lostJobs(history),
    ...strangers(history),
    ...unended(history),
    ...disagreements(history),
    ...repeatedEffects(history),
    ...overlaps(history),
    ...fallenTokens(history),
    ...wrongMachine(history),
  ]
}

function lostJobs({ client, panel }: History): string[] {
  const known = new Set(panel.map(({ id }) => id))
  return client.flatMap((event) =>
    event.at === 'acknowledge' && !known.has(event.job) ? [`acknowledged job ${event.job} is lost`] : [],
  )
}

/** Every job comes from a request that was acknowledged or never answered, or from the panel itself. */
function strangers({ client, panel }: History): string[] {
  const acknowledged = new Set(client.flatMap((event) => (event.at === 'acknowledge' ? [event.job] : [])))
  const answered = new Set(client.flatMap((event) => (event.at === 'submit' ? [] : [event.request])))
  const unknown = client.filter(
    (event) => event.at === 'lose' || (event.at === 'submit' && !answered.has(event.request)),
  ).length
  const unasked = panel.filter(({ id, actor }) => actor !== 'panel' && !acknowledged.has(id))
  if (unasked.length <= unknown) return []
  return [`${unasked.length} jobs that nobody was told of, and only ${unknown} requests without an answer`]
}

function unended({ panel, agent }: History): string[] {
  return [
    ...panel
      .filter(({ state }) => ['queued', 'running', 'stalled'].includes(state))
      .map(({ id, type, state }) => `job ${id} (${type}) is ${state} for ever on the panel's side`),
    ...agent
      .filter(({ state }) => ['queued', 'running', 'undoing'].includes(state))
      .map(({ id, type, state }) => `job ${id} (${type}) is ${state} for ever on the agent's side`),
  ]
}

function disagreements({ panel, agent }: History): string[] {
  const journal = new Map(agent.map((job) => [job.id, job]))
  return panel.flatMap((job) => {
    const done = journal.get(job.id)
    if (job.state === 'succeeded' && done?.state !== 'succeeded')
      return [`job ${job.id} (${job.type}) succeeded for the panel, and is ${done?.state ?? 'unknown'} for the agent`]
    if (job.state === 'failed' && done?.state === 'succeeded')
      return [`job ${job.id} (${job.type}) failed for the panel, and succeeded for the agent`]
    if (job.state === 'cancelled' && done !== undefined)
      return [`job ${job.id} (${job.type}) was cancelled, and the agent has it as ${done.state}`]
    if (done !== undefined && done.token !== job.token)
      return [`job ${job.id} (${job.type}) has token ${job.token} for the panel, and ${done.token} for the agent`]
    return []
  })
}

function repeatedEffects({ agent, ends }: History): string[] {
  const successes = agent.filter(({ state }) => state === 'succeeded')
  return [
    ...repeated(agent, ({ id }) => id).map((id) => `job ${id} is in the journal twice`),
    ...repeated(successes, ({ resource, token }) => `${resource} with token ${token}`).map(
      (what) => `two jobs had their effect on ${what}`,
    ),
    ...repeated(ends, ({ job }) => job).map((job) => `job ${job} ended twice`),
  ]
}

/** One job of a tenant after the other, and each step within its job. */
function overlaps({ panel }: History): string[] {
  const ran = panel.filter(({ startedAt }) => startedAt !== null).toSorted((a, b) => a.sequence - b.sequence)
  const byTenant = Object.values(Object.groupBy(ran, ({ tenant }) => tenant))
  const pairs = byTenant.flatMap((jobs = []) => jobs.slice(1).map((job, index) => [jobs[index], job] as const))
  const tangled = pairs.filter(([before, job]) => isBefore(job.startedAt, before?.finishedAt ?? null))
  const outside = ran.flatMap((job) =>
    job.steps
      .filter(({ startedAt }) => isBefore(startedAt, job.startedAt) || isBefore(job.finishedAt, startedAt))
      .map((step) => `step "${step.name}" of job ${job.id} (${job.type}) was begun outside of its job`),
  )
  return [
    ...tangled.map(([before, job]) => `job ${job.id} (${job.type}) began before job ${before?.id} had ended`),
    ...outside,
  ]
}

function isBefore(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a < b
}

function fallenTokens({ panel, agent, fences }: History): string[] {
  const queued = panel.map(({ id, resource, token, sequence }) => ({
    id,
    resource,
    token,
    order: sequence,
    side: 'panel',
  }))
  const accepted = agent.map(({ id, resource, token, seq }) => ({ id, resource, token, order: seq, side: 'agent' }))
  const fallen = [queued, accepted].flatMap((jobs) =>
    Object.values(Object.groupBy(jobs, ({ resource }) => resource)).flatMap((about = []) => {
      const inOrder = about.toSorted((a, b) => a.order - b.order)
      return inOrder
        .slice(1)
        .filter((job, index) => job.token <= (inOrder[index]?.token ?? 0))
        .map(({ id, resource, token, side }) => `the token of ${resource} fell to ${token} in job ${id} of the ${side}`)
    }),
  )
  const behind = agent
    .filter(({ resource, token }) => (fences.get(resource) ?? 0) < token)
    .map(({ resource, token }) => `the fence of ${resource} is below the accepted token ${token}`)
  return [...fallen, ...behind]
}

function wrongMachine({ agent, registry }: History): string[] {
  const wanted = replay(agent)
  return [...new Set([...wanted.keys(), ...registry.keys()])].flatMap((resource) => {
    const is = registry.get(resource) ?? 'none'
    const should = wanted.get(resource) ?? 'none'
    return is === should ? [] : [`${resource} is ${is}, and the successful jobs make it ${should}`]
  })
}

const ends: Readonly<Record<string, string | undefined>> = {
  create: 'active',
  suspend: 'suspended',
  unsuspend: 'active',
  delete: 'trashed',
  restore: 'active',
  purge: 'none',
}

/** The state that the successful jobs, in the order of their acceptance, lead each resource to. A job that is stuck may have had any effect; callers look at it apart. */
export function replay(agent: readonly AgentJob[]): ReadonlyMap<string, string> {
  const states = new Map<string, string>()
  const sitesOf = new Map<string, Set<string>>()
  for (const { type, resource, tenant } of successes(agent)) {
    const verb = type.split('.')[1] ?? ''
    const sites = sitesOf.get(tenant) ?? new Set()
    sitesOf.set(tenant, sites)
    if (resource !== tenant) sites.add(resource)
    const was = states.get(resource) ?? 'none'
    // what was never made stays that, also when its failed creation is deleted; other verbs change no state
    if (verb === 'create' || was !== 'none') states.set(resource, ends[verb] ?? was)
    if (type === 'tenant.purge') for (const site of sites) states.set(site, 'none')
  }
  return states
}

function successes(agent: readonly AgentJob[]): readonly AgentJob[] {
  return agent.filter(({ state }) => state === 'succeeded').toSorted((a, b) => a.seq - b.seq)
}

function repeated<T>(all: readonly T[], key: (one: T) => string): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const one of all.map(key)) {
    if (seen.has(one)) twice.add(one)
    seen.add(one)
  }
  return [...twice]
}
