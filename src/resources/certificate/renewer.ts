/**
 * Gets every active domain its certificate and renews it, a few at once, outside of every request and transaction. When one
 * is looked at next stands in the store, so that it outlives this process; the pauses grow, and orders are paced.
 */
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import type { Fqdn } from '../../contract/values.ts'
import { chainProblem, chainText, parseChain } from '../../lib/certificate-chain.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { asPanel } from '../as-panel.ts'
import { dnsProofs, keyFor } from '../dns-key/proofs.ts'
import { UpdateRefused } from '../dns-key/send-update.ts'
import type { UsableKey } from '../dns-key/store.ts'
import { heldAliases } from '../domain/schema.ts'
import { addressesIn } from '../settings/schema.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { AcmeClient, type DnsProof, type DnsWay, type Signing } from './acme-client.ts'
import { AcmeProblem } from './acme-problem.ts'
import { certificateCreate, certificateUpdate } from './jobs.ts'
import { ownAddresses, type Readiness, readiness } from './points-here.ts'
import { byAge, renewalId, within } from './renewal-time.ts'
import type { Progress } from './schema.ts'
import { servedOf } from './served.ts'
import type { DueCertificate } from './store.ts'

export interface RenewerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly signing: Signing
  /** Of the configuration. */
  readonly settings: () => { acmeCaFile: string | null; acmeBinding: AcmeBinding; dnsServers: readonly string[] }
  readonly version: string
  readonly onQueued: () => void
  readonly log: Logger
  readonly tickMs?: number | undefined
  readonly now?: () => number
  readonly dice?: () => number
}

type AcmeBinding = ConstructorParameters<typeof AcmeClient>[0]['binding']

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const atOnce = 4
/** Domains that get their first key in one turn. */
const newAtOnce = 20
/** Looking for them reads all domains. */
const turnsToAdopt = 3
/** After a failure that was not about one order, whatever the authority asks. */
const leastPauseMs = 2000
/** Minutes after the first failure, the second, …: no more than five in an hour reach an authority. */
const failed = [15, 15, 30, 60, 120, 240, 480, 720]
/** The same while the DNS is not ready, which costs an authority nothing. */
const notReady = [1, 1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 720]

const refusedChain = 'The server does not take the chain that the authority sent; its job tells why.'

const directories: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}

/** Not ready: nobody was asked. */
class NotYet extends Error {
  readonly progress: Progress
  readonly pauseMs: number | undefined
  constructor(progress: Progress, message: string, pauseMs?: number) {
    super(message)
    this.progress = progress
    this.pauseMs = pauseMs
  }
}

export function certificateRenewer(options: RenewerOptions) {
  const { db, storesOf, log, onQueued, tickMs = 1000, now = Date.now, dice = Math.random } = options
  const stopping = new AbortController()
  const dnsServers = () => options.settings().dnsServers
  const proofs = dnsProofs({ db, storesOf, dnsServers, signal: stopping.signal, log, now })
  let client: { readonly key: string; readonly made: AcmeClient } | undefined
  /** That authority asked for it; the store says the same of those that were due. */
  let paused = { directory: '', until: 0 }
  let turn = 0

  const at = (ms: number) => new Date(now() + ms).toISOString()
  /** Another length each time, so that what failed together does not come back together. */
  const pauseOf = (table: readonly number[], tries: number) =>
    (table[Math.min(tries, table.length) - 1] ?? 0) * minute * (1 + dice() / 10)

  async function work(): Promise<void> {
    const { settings, certificates } = storesOf(db)
    const authority = await settings.get('certificates.authority')
    if (authority === null) return
    if (turn++ % turnsToAdopt === 0) await adopt()
    const directory = directories[authority] ?? authority
    if (directory === paused.directory && now() < paused.until) return
    const due = await certificates.due(atOnce, directory)
    if (due.length === 0) return
    const acme = await clientFor(directory)
    const results = due.map((one) => look(one, acme, directory).catch(logFault))
    await Promise.all(results)
  }

  const logFault = (err: unknown) => {
    if (!stopping.signal.aborted) log.error({ err }, 'cannot look after certificates')
  }

  /** The first key of domains that have none. */
  async function adopt(): Promise<void> {
    const found = await storesOf(db).certificates.missing(newAtOnce)
    for (const { id: domainId, tenantId, fqdn } of found) {
      const id = newId()
      await queued(async ({ certificates, enqueue }) => {
        await certificates.insert({ id, tenantId, domainId, fqdn, source: 'acme' })
        await enqueue(certificateCreate, { tenant: tenantId, certificate: id, domain: domainId })
      })
    }
  }

  async function queued(change: (context: ReturnType<typeof asPanel>) => Promise<void>): Promise<void> {
    await db.transaction().execute((tx) => change(asPanel(storesOf(tx), at(0))))
    onQueued()
  }

  async function clientFor(directory: string): Promise<AcmeClient> {
    const { acmeCaFile, acmeBinding: binding } = options.settings()
    const contact = await storesOf(db).settings.get('certificates.contact')
    const ca = acmeCaFile === null ? undefined : await readFile(acmeCaFile, 'utf8')
    const key = JSON.stringify([directory, contact, binding, ca])
    if (client?.key !== key) {
      const { signing, version } = options
      const http = { userAgent: `wcp360/${version}`, ca, signal: stopping.signal }
      client = { key, made: new AcmeClient({ ...http, directory, contact, binding, signing }) }
    }
    return client.made
  }

  async function look(one: DueCertificate, acme: AcmeClient, directory: string): Promise<void> {
    const { certificates } = storesOf(db)
    const tries = one.asked === null || one.asked === directory ? one.tries + 1 : 1
    if (!(await certificates.begin(one, { tries, asked: directory, nextTryAt: at(pauseOf(failed, tries)) }))) return
    try {
      if (one.status === 'error') return await makeKey(one)
      const names = await namesOf(one)
      if (!isWanted(one, names, directory)) return await rest(one, acme, directory)
      const keys = await storesOf(db).dnsKeys.ofTenant(one.tenantId)
      const { ready, lacking, overDns } = await readinessOf(names, { acme, keys })
      const [first] = lacking
      if (first !== undefined && ready.length === 0) throw new NotYet(first.progress, first.problem)
      const later = first === undefined ? null : { problem: wordsFor(lacking), nextTryAt: at(pauseOf(notReady, tries)) }
      if (!isWanted(one, ready, directory)) return await rest(one, acme, directory, later)
      await mustBePaced(one)
      const way = { names: overDns, publish: (wanted: readonly DnsProof[]) => published(keys, wanted) }
      await serve(one, await order(one, ready, { acme, directory, overDns: way }), {
        names: ready,
        acme,
        directory,
        later,
      })
    } catch (error) {
      if (stopping.signal.aborted) return
      await failedBy(one, tries, { error, directory })
    }
  }

  async function namesOf({ domainId }: DueCertificate): Promise<readonly Fqdn[]> {
    const domain = await storesOf(db).domains.get(domainId)
    return [domain.fqdn, ...heldAliases(domain)]
  }

  /** An authority that was chosen since issues all of them anew. */
  function isWanted(one: DueCertificate, wanted: readonly string[], directory: string): boolean {
    const { chain, names, renewAt, authority } = one
    if (chain === null || renewAt === null || Date.parse(renewAt) <= now() || authority !== directory) return true
    return wanted.some((name) => !names.some((one) => one === name))
  }

  /** Renewed later: the authority may have changed its mind about when. */
  async function rest(one: DueCertificate, acme: AcmeClient, directory: string, later: Later = null): Promise<void> {
    const renewal = await renewalOf(String(one.chain), one.renewAt, one.authority === directory ? acme : null)
    await storesOf(db).certificates.rest(one.id, sooner(renewal, later))
  }

  async function renewalOf(chain: string, known: string | null, acme: AcmeClient | null) {
    const [leaf] = parseChain(chain) ?? []
    if (leaf === undefined) throw new Error('a chain in the store is none')
    const id = renewalId(leaf)
    // whoever cannot say when is not waited for
    const window = acme === null || id === null ? null : await acme.renewalWindow(id).catch(() => null)
    const isWithin =
      known !== null && window !== null && within(window, 0) <= new Date(known) && new Date(known) <= within(window, 1)
    const fresh =
      window === null
        ? byAge({ notBefore: leaf.validFromDate, notAfter: leaf.validToDate }, dice())
        : within(window, dice())
    const renewAt = isWithin || (window === null && known !== null) ? String(known) : fresh.toISOString()
    const askAgain = at(Math.min(Math.max(window?.askAgainMs ?? 6 * hour, 10 * minute), day))
    return { renewAt, nextTryAt: [renewAt, askAgain].toSorted()[0] ?? renewAt }
  }

  async function readinessOf(
    names: readonly Fqdn[],
    { acme, keys }: { acme: AcmeClient; keys: readonly UsableKey[] },
  ): Promise<Readiness<Fqdn>> {
    const given = await storesOf(db).settings.get('certificates.addresses')
    const dns = { servers: dnsServers(), signal: stopping.signal }
    const own = given === null ? ownAddresses() : addressesIn(given)
    const mayProveInDns = (name: string) => keyFor(keys, name) !== undefined
    return readiness(names, { own, identities: () => acme.caaIdentities(), mayProveInDns }, dns)
  }

  async function published(keys: readonly UsableKey[], wanted: readonly DnsProof[]): Promise<() => Promise<void>> {
    const records = await proofs.publish(keys, wanted)
    return () => proofs.withdraw(records)
  }

  /** What is above waits, and does not count as a failure. */
  async function mustBePaced({ id }: DueCertificate): Promise<void> {
    const most = await storesOf(db).settings.get('certificates.orders_per_hour')
    const pace = { since: at(-hour), most }
    if (await db.transaction().execute((tx) => storesOf(tx).certificates.ordered(id, pace))) return
    throw new NotYet(
      'order',
      `It waits: ${most} certificates were asked for within the hour.`,
      (5 + 5 * dice()) * minute,
    )
  }

  async function order(
    { id, chain, authority }: DueCertificate,
    names: Fqdn[],
    { acme, directory, overDns }: { acme: AcmeClient; directory: string; overDns: DnsWay },
  ): Promise<string> {
    const [leaf] = authority === directory && chain !== null ? (parseChain(chain) ?? []) : []
    return acme.obtain({ certificate: id, names, overDns, replaces: leaf === undefined ? null : renewalId(leaf) })
  }

  async function serve(
    one: DueCertificate,
    text: string,
    { names, acme, directory, later }: { names: readonly Fqdn[]; acme: AcmeClient; directory: string; later: Later },
  ): Promise<void> {
    const parsed = parseChain(text)
    if (parsed === null) throw new AcmeProblem('', 'The authority sent something else than a chain of certificates')
    const problem = chainProblem(parsed, { names, now: new Date(now()) })
    if (problem !== undefined) throw new AcmeProblem('', `The authority sent a chain that cannot be served: ${problem}`)
    const chain = chainText(parsed)
    const renewal = sooner(await renewalOf(chain, null, acme), later)
    await queued(async ({ certificates, enqueue }) => {
      // what a job that fails leads back to
      await certificates.stands(one.id, { progress: 'order', problem: refusedChain })
      await enqueue(certificateUpdate, { tenant: one.tenantId, certificate: one.id, chain }, (row) =>
        certificates.serve(row, { ...servedOf(parsed), source: 'acme', authority: directory, ...renewal }),
      )
    })
    log.info({ domain: one.fqdn, certificate: one.id }, 'a certificate was issued')
  }

  async function makeKey({ id, tenantId, domainId }: DueCertificate): Promise<void> {
    await queued(async ({ enqueue }) => {
      await enqueue(certificateCreate, { tenant: tenantId, certificate: id, domain: domainId })
    })
  }

  /** What is served stays. */
  async function failedBy(
    one: DueCertificate,
    tries: number,
    { error, directory }: { error: unknown; directory: string },
  ): Promise<void> {
    const { certificates } = storesOf(db)
    const facts = { domain: one.fqdn, certificate: one.id }
    if (error instanceof NotYet) {
      const { progress, message: problem, pauseMs = pauseOf(notReady, tries) } = error
      log.info({ ...facts, problem }, 'a certificate is not asked for yet')
      return await certificates.stands(one.id, { progress, problem, nextTryAt: at(pauseMs) })
    }
    if (error instanceof WcpError && error.code === 'not_found') return await makeKey(one)
    const asked = error instanceof AcmeProblem ? error.retryAfterMs : null
    const pauseMs = Math.max(asked ?? 0, isOfTheMachine(error) ? minute : pauseOf(failed, tries))
    const isSaid = error instanceof AcmeProblem || error instanceof WcpError || error instanceof UpdateRefused
    const problem = isSaid ? error.message : wordsOf(error)
    log.warn({ ...facts, problem, pauseMs }, 'a certificate was not issued')
    await certificates.stands(one.id, { progress: 'order', problem, nextTryAt: at(pauseMs) })
    if (error instanceof AcmeProblem && error.isForAll) {
      const allPauseMs = Math.max(asked ?? minute, leastPauseMs)
      paused = { directory, until: now() + allPauseMs }
      await certificates.pauseAll(at(allPauseMs))
    }
  }

  const ticking = ticker(work, tickMs, logFault)

  return {
    start: ticking.start,
    async stop(): Promise<void> {
      stopping.abort()
      await ticking.stop()
    },
  }
}

/** What is served is not for all names: why, and when they are looked at again. */
type Later = { readonly problem: string; readonly nextTryAt: string } | null

function sooner<R extends { nextTryAt: string }>(renewal: R, later: Later): R & { problem: string | null } {
  if (later === null) return { ...renewal, problem: null }
  return { ...renewal, problem: later.problem, nextTryAt: [later.nextTryAt, renewal.nextTryAt].toSorted()[0] ?? '' }
}

/** The first of many. */
function wordsFor(lacking: Readiness<string>['lacking']): string {
  return lacking
    .slice(0, 3)
    .map(({ problem }) => problem)
    .join(' ')
}

/** The root side is away, or at something else. */
function isOfTheMachine(error: unknown): boolean {
  return ['unavailable', 'busy'].includes(asWcpError(error).code)
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'The authority cannot be reached'
  const code = 'code' in error ? String(error.code) : error.name
  return `The authority cannot be reached: ${code === 'Error' ? error.message : code}`
}
