/**
 * Asks the web server of this machine for each site once a minute (for 10,000 at most, and else in turns), spread evenly, and writes what was found now and
 * then. What is asked for is answered by nginx itself: no PHP is woken. HTTPS takes a handshake for each look, so it
 * has a budget of its own; with very many sites each waits longer for it.
 */
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { addressLack, ownAddresses } from '../certificate/points-here.ts'
import type { Context } from '../context.ts'
import { addressesIn } from '../settings/schema.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { HttpLine } from './http-line.ts'
import { SiteMemory } from './memory.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import type { ProbeTarget } from './store.ts'
import { lookOverTls } from './tls-look.ts'

/** A minute by pieces. */
export interface ProbePace {
  readonly tickMs: number
  readonly slots: number
  /** Looks of a minute. Beyond it sites take turns over several minutes, so that looking costs no more than this does. */
  readonly looks?: number
}

export interface ProberOptions extends Partial<ProbePace> {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly web: Pick<Context['web'], 'visit' | 'nameServers'>
  readonly ports: () => { readonly http: number; readonly https: number }
  readonly log: Logger
  readonly now?: () => number
}

const everySlots = 60
const mostLooks = 10_000
/** Handshakes of a tick: at 10,000 sites each has one in some minutes. */
const mostTls = 12
const mostDeep = 10
const mostDns = 2
const tlsEveryMs = 50_000
const dnsEveryMs = 6 * 3_600_000
const writeEveryMs = 15 * 60_000
const dnsMs = 8000
/** Rows of one transaction. */
const together = 100

interface Site {
  target: ProbeTarget
  readonly memory: SiteMemory
}

export function siteProber(options: ProberOptions) {
  const {
    db,
    storesOf,
    web,
    ports,
    log,
    tickMs = 1000,
    slots = everySlots,
    looks = mostLooks,
    now = Date.now,
  } = options
  const lines = [new HttpLine(() => ports().http), new HttpLine(() => ports().http)]
  const sites = new Map<Id, Site>()
  const parts: Site[][] = []
  const stopping = new AbortController()
  const begun = performance.now()
  /** Parts that were looked at since the start. */
  let done = 0
  /** Parts of one round over all sites: those of a minute, or of several. */
  let round = slots

  /** A machine that is late makes good for it, by a minute at most. */
  async function work(): Promise<void> {
    const owed = Math.floor((performance.now() - begun) / tickMs) - done
    if (owed > slots) done += owed - slots
    for (let left = Math.min(Math.max(owed, 1), slots); left > 0 && !stopping.signal.aborted; left--) await part(done++)
  }

  async function part(place: number): Promise<void> {
    if (place % round === 0 || sites.size === 0) await refresh()
    const due = parts[place % round] ?? []
    const urgent = new Set<Site>()
    const found = await overHttp(due)
    await overTls(due, found)
    await deeply(due, found)
    const at = new Date(now()).toISOString()
    for (const [site, outcome] of found) if (site.memory.note(outcome, at)) urgent.add(site)
    await lookUp(due)
    await write([...urgent, ...due.filter((site) => !urgent.has(site) && isOwed(site))])
  }

  /** A site keeps its part of the minute as long as it is there. */
  async function refresh(): Promise<void> {
    const targets = await storesOf(db).probes.targets()
    const seen = new Set(targets.map(({ id }) => id))
    for (const id of sites.keys()) if (!seen.has(id)) sites.delete(id)
    for (const target of targets) {
      const known = sites.get(target.id)
      if (known === undefined) sites.set(target.id, { target, memory: new SiteMemory(target.failingSince) })
      else known.target = target
    }
    round = slots * Math.max(1, Math.ceil(sites.size / looks))
    parts.length = 0
    for (let part = 0; part < round; part++) parts.push([])
    for (const site of sites.values()) parts[partOf(site.target.id, round)]?.push(site)
  }

  async function overHttp(due: readonly Site[]): Promise<Map<Site, Outcome>> {
    const found = new Map<Site, Outcome>()
    const left = due.values()
    await Promise.all(
      lines.map(async (line) => {
        for (const site of left) {
          if (stopping.signal.aborted) return
          found.set(site, outcomeOf(await line.ask(site.target.fqdn)))
        }
      }),
    )
    return found
  }

  async function overTls(due: readonly Site[], found: Map<Site, Outcome>): Promise<void> {
    const chosen = due
      .filter(({ target, memory }) => target.hasCertificate && now() - memory.httpsAt >= tlsEveryMs)
      .sort((one, other) => one.memory.httpsAt - other.memory.httpsAt)
      .slice(0, mostTls)
    for (const site of chosen) {
      if (stopping.signal.aborted) return
      const { tls, answer } = await lookOverTls(site.target.fqdn, ports().https, now())
      site.memory.httpsAt = now()
      site.memory.noteTls({ at: new Date(now()).toISOString(), ...tls })
      const outcome = outcomeOf(answer)
      if (outcome.state === 'down') worsen(found, site, { ...outcome, problem: `over HTTPS: ${outcome.problem}` })
    }
  }

  async function deeply(due: readonly Site[], found: Map<Site, Outcome>): Promise<void> {
    const chosen = due.filter((site) => site.target.deep && found.get(site)?.state === 'up').slice(0, mostDeep)
    await Promise.all(
      chosen.map(async (site) => {
        const { fqdn } = site.target
        const first = await web.visit(fqdn, 'http')
        const visit = 'status' in first && first.toHttps ? await web.visit(fqdn, 'https') : first
        const problem = 'failure' in visit ? visit.failure : visit.status >= 500 ? `status ${visit.status}` : null
        if (problem !== null) worsen(found, site, { state: 'down', ms: null, problem: `the first page: ${problem}` })
      }),
    )
  }

  async function lookUp(due: readonly Site[]): Promise<void> {
    const chosen = due.filter(({ memory }) => now() - memory.dnsAt >= dnsEveryMs).slice(0, mostDns)
    if (chosen.length === 0) return
    const given = await storesOf(db).settings.get('certificates.addresses')
    const own = given === null ? ownAddresses() : addressesIn(given)
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(dnsMs)])
    await Promise.all(
      chosen.map(async ({ target, memory }) => {
        memory.dnsAt = now()
        const lack = await addressLack(target.fqdn, own, { servers: web.nameServers, signal })
        if (stopping.signal.aborted) return
        const state = lack === null ? 'here' : lack.isUnknown ? 'unknown' : 'elsewhere'
        memory.noteDns({ at: new Date(now()).toISOString(), state, seen: lack?.seen ?? '' })
      }),
    )
  }

  function isOwed({ memory }: Site): boolean {
    return memory.isUnwritten && now() - memory.writtenAt >= writeEveryMs
  }

  async function write(owed: readonly Site[]): Promise<void> {
    const at = new Date(now()).toISOString()
    for (let from = 0; from < owed.length; from += together)
      await db.transaction().execute(async (tx) => {
        const { probes } = storesOf(tx)
        for (const { target, memory } of owed.slice(from, from + together)) {
          await probes.add(target.id, memory.take(at))
          memory.writtenAt = now()
        }
      })
  }

  const ticking = ticker(work, tickMs, (err) => log.error({ err }, 'sites cannot be probed'))

  return {
    /** A look at the next part of all sites. */
    wake: ticking.wake,
    start: ticking.start,
    /** Writes what was found. */
    async stop(): Promise<void> {
      stopping.abort()
      await ticking.stop()
      for (const line of lines) line.close()
      await write([...sites.values()].filter(({ memory }) => memory.isUnwritten)).catch((err) =>
        log.error({ err }, 'what was found of sites cannot be written'),
      )
    },
  }
}

function worsen(found: Map<Site, Outcome>, site: Site, outcome: Outcome): void {
  if (found.get(site)?.state === 'up') found.set(site, outcome)
}

/** By the id, so that sites are spread evenly over the minute and keep their moment over restarts. */
function partOf(id: Id, parts: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % parts
}
