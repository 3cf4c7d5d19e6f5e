/** Whether the server kept its promises: what the client knows against what is there. Each finding is one sentence; none is good. */
import { type ClientEvent, violations } from './history.ts'
import type { Attempt, Client } from './power-client.ts'
import type { Entry, Facts, PanelJob } from './power-facts.ts'
import { type Deed, Hosting, type Verb } from './power-hosting.ts'

export function verdict(facts: Facts, client: Pick<Client, 'attempts' | 'seenEnds'>): string[] {
  return [
    ...storesAreWhole(facts),
    ...jobsAreAsPromised(facts, client),
    ...endsStay(facts, client),
    ...rowsAreAsReplayed(facts),
    ...filesAreWhole(facts),
  ]
}

/** What the jobs that succeeded add up to, in the order in which they were queued. */
export function replay(jobs: readonly PanelJob[]): Hosting {
  const hosting = new Hosting()
  for (const job of jobs) hosting.apply(deedOf(job), job.tenantName, job.state === 'succeeded')
  return hosting
}

function deedOf({ kind, type, name }: PanelJob): Deed {
  return { kind: kind === 'tenant' ? 'tenant' : 'domain', verb: type.split('.')[1] as Verb, name }
}

function storesAreWhole({ integrity }: Facts): string[] {
  return Object.entries(integrity).flatMap(([store, said]) => (said === 'ok' ? [] : [`${store}'s store: ${said}`]))
}

/** The history checker's part: both sides, the registry, and what the client was told. */
function jobsAreAsPromised(
  { panelJobs, agentJobs, ends, fences, agentTenants, agentSites }: Facts,
  { attempts }: Pick<Client, 'attempts'>,
): readonly string[] {
  return violations({
    client: attempts.flatMap(eventsOf),
    panel: panelJobs,
    agent: agentJobs,
    ends,
    fences: new Map(fences.map(({ resource, token }) => [resource, token])),
    registry: new Map([...agentTenants, ...agentSites].map(({ id, status }) => [id, status])),
  })
}

function eventsOf({ number, deed, withDomain, outcome }: Attempt): ClientEvent[] {
  const request = String(number)
  const own = `${deed.kind}.${deed.verb} ${deed.name}`
  const wishes = withDomain === undefined ? [own] : [own, `domain.create ${withDomain}`]
  const submit = { at: 'submit', request, wishes } as const
  if (outcome.kind === 'acknowledged') return [submit, { at: 'acknowledge', request, jobs: outcome.jobs }]
  return [submit, { at: outcome.kind === 'refused' ? 'refuse' : 'lose', request }]
}

/** An end that the client has seen is the end; and each was told to the panel. */
function endsStay({ panelJobs, agentJobs }: Facts, { seenEnds }: Pick<Client, 'seenEnds'>): string[] {
  return [
    ...panelJobs.flatMap(({ id, type, name, state }) => {
      const seen = seenEnds.get(id)
      return seen === undefined || seen === state ? [] : [`seen ${seen}, and now ${state}: ${type} ${name} (${id})`]
    }),
    ...agentJobs
      .filter(({ acknowledged }) => acknowledged === 0)
      .map(({ id, type }) => `its end was not told: ${type} (${id})`),
  ]
}

/** Rows of the panel and host names of the root side against the replay. */
function rowsAreAsReplayed({ panelJobs, tenants, domains, hosts }: Facts): string[] {
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
  const living = [...wanted.domains.keys()].filter((name) => wanted.answers(name) !== 'nothing')
  same('list of host names', hosts.toSorted().join(' '), living.toSorted().join(' '))
  return found
}

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
    const isCustomers = parts.at(-2) === 'public' && parts.at(-1) !== 'index.html'
    if (parts.includes('.trash') || isCustomers) return false
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
