/**
 * Judges what was seen of jobs from outside: what a client was told, what the panel's rows say, what the agent's journal
 * says, and how the machine is in the end. Pure; the machine must be at rest when its side is read.
 *
 * What a client never heard an answer to is unknown: it may have become a job or not, and both are right.
 */
import { besideTypes } from '../../src/resources/jobs.ts'

/** What a client saw of one request. */
export type ClientEvent =
  /** `wishes`: the jobs that it may become, each as `tenant.create acme`, with the name or the id of what it is about. */
  | { readonly at: 'submit'; readonly request: string; readonly wishes: readonly string[] }
  | { readonly at: 'acknowledge'; readonly request: string; readonly jobs: readonly string[] }
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
  /** Of the resource, as people type it. */
  readonly name: string
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
    event.at === 'acknowledge'
      ? event.jobs.filter((job) => !known.has(job)).map((job) => `acknowledged job ${job} is lost`)
      : [],
  )
}

/**
 * Every job is one that was promised, as it was wished; or one wish of a request without an answer, once; or the panel's own.
 * What was refused left none.
 */
function strangers({ client, panel }: History): string[] {
  const wishes = new Map(client.flatMap((event) => (event.at === 'submit' ? [[event.request, event.wishes]] : [])))
  const promised = new Map(
    client.flatMap(({ request, ...event }) =>
      event.at === 'acknowledge' ? event.jobs.map((job) => [job, request]) : [],
    ),
  )
  const answered = new Set(
    client.filter(({ at }) => at === 'acknowledge' || at === 'refuse').map(({ request }) => request),
  )
  const open = [...wishes].flatMap(([request, wished]) => (answered.has(request) ? [] : wished))
  return panel.flatMap(({ id, type, name, resource, actor }) => {
    const what = `${type} ${name}`
    const isIt = (wish: string) => wish === what || wish === `${type} ${resource}`
    const request = promised.get(id)
    if (request !== undefined) {
      const wished = wishes.get(request) ?? []
      return wished.some(isIt) ? [] : [`job ${id} was promised for ${wished.join(', ')}, and is ${what}`]
    }
    if (actor === 'panel') return []
    const index = open.findIndex(isIt)
    if (index === -1) return [`nobody asked for job ${id} (${what}), or it was done twice`]
    open.splice(index, 1)
    return []
  })
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
  const rows = new Set(panel.map(({ id }) => id))
  const unheard = agent.filter(({ id }) => !rows.has(id))
  const differing = panel.flatMap((job) => {
    const done = journal.get(job.id)
    if (done !== undefined && done.type !== job.type)
      return [`job ${job.id} is ${job.type} for the panel, and ${done.type} for the agent`]
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
  return [...unheard.map(({ id, type }) => `job ${id} (${type}) is known to the agent alone`), ...differing]
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

/** One job of a tenant after the other, and each step within its job. Commands of a tenant wait for one another alone. */
function overlaps({ panel }: History): string[] {
  const ran = panel.filter(({ startedAt }) => startedAt !== null).toSorted((a, b) => a.sequence - b.sequence)
  const byTenant = Object.values(Object.groupBy(ran, ({ tenant, type }) => `${tenant} ${isBeside(type)}`))
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

function isBeside(type: string): boolean {
  return besideTypes.includes(type)
}

function isBefore(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a < b
}

function fallenTokens({ panel, agent, fences }: History): string[] {
  const queued = panel.map(({ id, type, resource, token, sequence }) => ({
    id,
    resource: isBeside(type) ? id : resource, // what is fenced
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
/** What else is deleted is gone. */
const withTrash = ['tenant', 'domain']

/** The state that the successful jobs, in the order of their acceptance, lead each resource to. A job that is stuck may have had any effect; callers look at it apart. */
export function replay(agent: readonly AgentJob[]): ReadonlyMap<string, string> {
  const states = new Map<string, string>()
  const owned = new Map<string, Set<string>>()
  const held = new Set<string>()
  for (const { type, resource, tenant } of successes(agent)) {
    const [kind = '', verb = ''] = type.split('.')
    const own = owned.get(tenant) ?? new Set()
    owned.set(tenant, own)
    if (resource !== tenant) own.add(resource)
    if (verb === 'suspend') held.add(resource)
    if (verb === 'unsuspend') held.delete(resource)
    const was = states.get(resource) ?? 'none'
    // what was never made stays that, also when its failed creation is deleted; other verbs change no state
    if (verb === 'create' || was !== 'none') states.set(resource, endOf(kind, verb, held.has(resource)) ?? was)
    if (type === 'tenant.purge') for (const one of own) states.set(one, 'none')
  }
  return states
}

/** @param isHeld the trash keeps a suspension: what comes back stays closed */
function endOf(kind: string, verb: string, isHeld: boolean): string | undefined {
  if (verb === 'delete' && !withTrash.includes(kind)) return 'none'
  return verb === 'restore' && isHeld ? 'suspended' : ends[verb]
}

function successes(agent: readonly AgentJob[]): readonly AgentJob[] {
  return agent.filter(({ state }) => state === 'succeeded').toSorted((a, b) => a.seq - b.seq)
}

/** @param output lines of the agent's log */
export function loggedEnds(output: string): readonly LoggedEnd[] {
  return output.split('\n').flatMap((line) => {
    if (!line.includes('"msg":"job ended"')) return []
    const { job, failure } = JSON.parse(line) as { job: string; failure: string | null }
    return [{ job, failed: failure !== null }]
  })
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
