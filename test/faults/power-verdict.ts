/** Whether the server kept its promises: what the client knows against what is there. Each finding is one sentence; none is good. */
import type { Attempt, Client } from './power-client.ts'
import type { AgentJob, Entry, Facts, PanelJob } from './power-facts.ts'
import { type Deed, Hosting, type Verb } from './power-hosting.ts'

export function verdict(facts: Facts, client: Pick<Client, 'attempts' | 'seenEnds'>): string[] {
  return [
    ...storesAreWhole(facts),
    ...promisesAreKept(facts, client),
    ...nothingWasInvented(facts, client),
    ...journalsAgree(facts),
    ...rowsAreAsReplayed(facts),
    ...filesAreWhole(facts),
  ]
}

/** What the jobs that succeeded add up to, in the order in which they were queued. */
export function replay(jobs: readonly PanelJob[]): Hosting {
  const hosting = new Hosting()
  for (const job of jobs) hosting.apply(deedOf(job), job.tenant, job.state === 'succeeded')
  return hosting
}

function deedOf({ kind, type, name }: PanelJob): Deed {
  return { kind: kind === 'tenant' ? 'tenant' : 'domain', verb: type.split('.')[1] as Verb, name }
}

function storesAreWhole({ integrity }: Facts): string[] {
  return Object.entries(integrity).flatMap(([store, said]) => (said === 'ok' ? [] : [`${store}'s store: ${said}`]))
}

/** Every job that was acknowledged is there and has ended, as the client has seen it end. */
function promisesAreKept(
  { panelJobs }: Facts,
  { attempts, seenEnds }: Pick<Client, 'attempts' | 'seenEnds'>,
): string[] {
  const byId = new Map(panelJobs.map((job) => [job.id, job]))
  const promised = attempts.flatMap(({ deed, withDomain, outcome }) =>
    outcome.kind === 'acknowledged'
      ? outcome.jobs.map((id, index) => ({ id, deed: index === 0 ? deed : first(withDomain) }))
      : [],
  )
  return promised.flatMap(({ id, deed }) => {
    const job = byId.get(id)
    const what = `${deed.kind}.${deed.verb} ${deed.name} (${id})`
    if (job === undefined) return [`acknowledged and lost: ${what}`]
    if (`${job.type} ${job.name}` !== `${deed.kind}.${deed.verb} ${deed.name}`)
      return [`acknowledged ${what}, and it is ${job.type} ${job.name}`]
    if (job.state !== 'succeeded' && job.state !== 'failed') return [`it never ended: ${what} is ${job.state}`]
    const seen = seenEnds.get(id)
    return seen === undefined || seen === job.state ? [] : [`seen ${seen}, and now ${job.state}: ${what}`]
  })
}

function first(fqdn = ''): Deed {
  return { kind: 'domain', verb: 'create', name: fqdn }
}

/** A job that nobody was promised belongs to one request whose outcome is unknown; what was refused left none. */
function nothingWasInvented({ panelJobs }: Facts, { attempts }: Pick<Client, 'attempts'>): string[] {
  const promised = new Set(attempts.flatMap(({ outcome }) => (outcome.kind === 'acknowledged' ? outcome.jobs : [])))
  const unknown = attempts.filter(({ outcome }) => outcome.kind === 'unknown').flatMap(wishes)
  const found: string[] = []
  for (const job of panelJobs.filter(({ id, actor }) => !promised.has(id) && actor !== 'panel')) {
    const index = unknown.indexOf(`${job.type} ${job.name}`)
    if (index === -1) found.push(`nobody asked for it, or it was done twice: ${job.type} ${job.name} (${job.id})`)
    else unknown.splice(index, 1)
  }
  return found
}

function wishes({ deed, withDomain }: Attempt): string[] {
  const own = `${deed.kind}.${deed.verb} ${deed.name}`
  return withDomain === undefined ? [own] : [own, `domain.create ${withDomain}`]
}

/** Both sides tell the same of each job, each was accepted once, tokens only rise, and nothing is open. */
function journalsAgree({ panelJobs, agentJobs, fences }: Facts): string[] {
  const accepted = new Map(agentJobs.map((job) => [job.id, job]))
  const panelIds = new Set(panelJobs.map(({ id }) => id))
  return [
    ...panelJobs.flatMap((job) => differs(job, accepted.get(job.id))),
    ...agentJobs
      .filter(({ id }) => !panelIds.has(id))
      .map(({ id, type }) => `only the root side knows ${type} (${id})`),
    ...agentJobs
      .filter(({ acknowledged }) => acknowledged === 0)
      .map(({ id, type }) => `its end was not told: ${type} (${id})`),
    ...fallingTokens(agentJobs, new Map(fences.map(({ resource, token }) => [resource, token]))),
  ]
}

function differs(job: PanelJob, known: AgentJob | undefined): string[] {
  const what = `${job.type} ${job.name} (${job.id})`
  // What the root side refuses at the door is in no journal of it.
  if (known === undefined)
    return job.state === 'succeeded' ? [`succeeded, and the root side never had it: ${what}`] : []
  if (known.state !== job.state) return [`${job.state} for the panel, ${known.state} for the root side: ${what}`]
  return known.token === job.token && known.type === job.type ? [] : [`another job under one id: ${what}`]
}

function fallingTokens(jobs: readonly AgentJob[], fences: ReadonlyMap<string, number>): string[] {
  const highest = new Map<string, number>()
  return jobs.flatMap(({ id, resource, token, type }) => {
    const before = highest.get(resource) ?? 0
    highest.set(resource, Math.max(before, token))
    if (token <= before) return [`token ${token} after ${before}: ${type} (${id})`]
    return (fences.get(resource) ?? 0) < token ? [`its fence is behind: ${type} (${id})`] : []
  })
}

/** Rows of the panel and registry of the root side against the replay. */
function rowsAreAsReplayed({ panelJobs, tenants, domains, agentTenants, agentSites, hosts }: Facts): string[] {
  const wanted = replay(panelJobs)
  const found: string[] = []
  const same = (what: string, is: string | undefined, should: string | undefined) => {
    if (is !== should) found.push(`${what} is ${is ?? 'not there'}, and should be ${should ?? 'not there'}`)
  }
  for (const { name, status, isDeleted } of tenants) {
    same(`tenant ${name}`, status, wanted.tenants.get(name))
    same(`tenant ${name} in the trash`, String(isDeleted === 1), String(wanted.tenants.get(name) === 'deleted'))
  }
  for (const { name, status } of domains) same(`domain ${name}`, status, wanted.domains.get(name)?.status)
  const registered = new Map(
    agentTenants.filter(({ status }) => status !== 'none').map(({ name, status }) => [name, status]),
  )
  for (const [name, status] of wanted.tenants)
    same(`registered tenant ${name}`, registered.get(name), registryWord[status])
  const sites = new Map(agentSites.filter(({ status }) => status !== 'none').map(({ name, status }) => [name, status]))
  for (const [name, { tenant, status }] of wanted.domains)
    if (wanted.tenants.get(tenant) !== 'deleted') same(`registered site ${name}`, sites.get(name), registryWord[status])
  const living = [...wanted.domains.keys()].filter((name) => wanted.answers(name) !== 'nothing')
  same('list of host names', hosts.toSorted().join(' '), living.toSorted().join(' '))
  return found
}

const registryWord = { active: 'active', suspended: 'suspended', deleted: 'trashed', error: undefined } as const

/**
 * Files are made from what is known, so those of two tenants in the same state are the same but for names and numbers. The
 * first tenants are made before any cut: what differs from theirs is torn, forgotten or left behind.
 */
function filesAreWhole(facts: Facts): string[] {
  const wanted = replay(facts.panelJobs)
  const uids = new Map(facts.agentTenants.map(({ name, uid }) => [name, String(uid)]))
  const patterns = new Map<string, { readonly of: string; readonly shape: readonly string[] }>()
  const found: string[] = []
  for (const [tenant, status] of wanted.tenants) {
    const own = ownEntries(facts.entries, tenant, uids.get(tenant))
    const domains = wanted.domainsOf(tenant).map(([name, domain]) => ({ name, status: domain.status }))
    const ofDomains = domains.map(({ name }) => own.filter(({ path }) => path.split('/').includes(name)))
    const rest = own.filter((entry) => !ofDomains.some((entries) => entries.includes(entry)))
    compare(`tenant ${status}`, tenant, shapeOf(rest, { tenant, uid: uids.get(tenant), fqdn: undefined }))
    domains.forEach(({ name, status: state }, index) => {
      compare(
        `domain ${state} of tenant ${status}`,
        name,
        shapeOf(ofDomains[index] ?? [], { tenant, uid: uids.get(tenant), fqdn: name }),
      )
    })
  }
  return [
    ...found,
    ...facts.entries.filter(({ path }) => /\/\.?new-[^/]*$/.test(path)).map(({ path }) => `left behind: ${path}`),
  ]

  function compare(state: string, of: string, shape: readonly string[]): void {
    const pattern = patterns.get(state)
    if (pattern === undefined) patterns.set(state, { of, shape })
    else if (pattern.shape.join('\n') !== shape.join('\n')) {
      const missing = pattern.shape.filter((line) => !shape.includes(line))
      const added = shape.filter((line) => !pattern.shape.includes(line))
      found.push(
        `files of ${of} (${state}) are not as those of ${pattern.of}: without ${JSON.stringify(missing)}, with ${JSON.stringify(added)}`,
      )
    }
  }
}

/** What lies at a tenant's own places; what is in the trash lies under its id. */
function ownEntries(entries: readonly Entry[], tenant: string, uid = 'none'): Entry[] {
  const names = [tenant, `${tenant}.user`, `${tenant}.group`, `${uid}.user`, `${uid}.group`]
  return entries.filter(({ path, content }) => {
    const parts = path.split('/')
    if (parts.includes('.trash') || parts.includes('who.php')) return false // who.php: a customer's own
    return (
      names.some((name) => parts.includes(name)) || (parts.includes('hosts') && content.includes(`/tenants/${tenant}/`))
    )
  })
}

function shapeOf(
  entries: readonly Entry[],
  { tenant, uid = 'none', fqdn = 'none' }: { tenant: string; uid: string | undefined; fqdn: string | undefined },
): string[] {
  const bare = (text: string) => text.replaceAll(fqdn, '{fqdn}').replaceAll(tenant, '{tenant}').replaceAll(uid, '{uid}')
  return entries
    .map(({ path, type, mode, owner, content }) => bare(`${path} ${type} ${mode} ${owner} ${content}`))
    .toSorted()
}
