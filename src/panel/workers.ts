/** Workers that run beside the requests, from the start of the panel to its end. */
import { hostname } from 'node:os'
import { SshSessions } from '../contract/ssh-session.ts'
import { version } from '../program/version.ts'
import { endTeller } from '../resources/certificate/end-teller.ts'
import { certificateRenewer } from '../resources/certificate/renewer.ts'
import { type WatcherPace, watcher } from '../resources/condition/watcher.ts'
import type { Context } from '../resources/context.ts'
import { cronScheduler } from '../resources/cron/scheduler.ts'
import { dnsKeeper } from '../resources/dns-key/keeper.ts'
import { proofChecker } from '../resources/domain/proof-checker.ts'
import { type DriftPace, type DriftWatcherOptions, driftWatcher } from '../resources/health/drift-watcher.ts'
import { conditionSources, kinds } from '../resources/index.ts'
import { mailer } from '../resources/mail/mailer.ts'
import { type ProbePace, siteProber } from '../resources/probe/prober.ts'
import { loginRecorder } from '../resources/ssh-session/recorder.ts'
import { usageCollector } from '../resources/tenant/usage-collector.ts'
import { webhookSender } from '../resources/webhook/sender.ts'
import type { Authentication } from './auth/authentication.ts'
import type { Base } from './base.ts'
import type { AgentLink } from './jobs/agent-link.ts'
import { authoritySigning } from './jobs/authority-signing.ts'
import { housekeeping } from './jobs/housekeeping.ts'
import type { Idempotency } from './operations/idempotency.ts'

export interface WorkersOptions extends Base {
  readonly auth: Pick<Authentication, 'sessions' | 'challenges' | 'networks'>
  readonly idempotency: Idempotency
  readonly onQueued: () => void
  readonly tickMs: number | undefined
  /** PEM of whom webhooks trust. */
  readonly webhookCa: string | undefined
  readonly machine: Pick<Context['machine'], 'health' | 'audit' | 'inventory'>
  readonly agent: Pick<AgentLink, 'connected' | 'readOnly' | 'ask'>
  readonly watcherPace: WatcherPace | undefined
  readonly driftPage: DriftWatcherOptions['page']
  readonly driftPace: DriftPace | undefined
  readonly web: Context['web']
  readonly probePace: ProbePace | undefined
  /** Between two looks at whom to measure. */
  readonly usageTickMs: number | undefined
  /** Between two looks at keys for the DNS; as `tickMs` unless told. */
  readonly dnsTickMs: number | undefined
}

/** Longer than the root side walks. */
const usagePatienceMs = 6 * 60_000

export function workers({
  auth,
  idempotency,
  onQueued,
  tickMs,
  webhookCa,
  machine,
  agent,
  watcherPace,
  usageTickMs,
  dnsTickMs,
  web,
  probePace,
  driftPage,
  driftPace,
  ...base
}: WorkersOptions) {
  const { config } = base
  const mail = mailer({
    ...base,
    server: () => config.now.smtp,
    from: () => (config.now.mailFrom === 'auto' ? `wcp360@${config.panelHost}` : config.now.mailFrom),
    baseUrl: () => config.now.baseUrl,
    tickMs,
  })
  const proofs = proofChecker({
    ...base,
    hosts: () => ({ panelHost: config.panelHost, machineHost: hostname() }),
    servers: () => config.now.dnsServers,
    onQueued,
    tickMs,
  })
  const renewer = certificateRenewer({
    ...base,
    signing: authoritySigning(agent),
    settings: () => config.now,
    version: version().trim(),
    onQueued,
    tickMs,
  })
  const ends = endTeller({ ...base, canMail: () => config.canMail })
  const dnsKeys = dnsKeeper({ ...base, dnsServers: () => config.now.dnsServers, tickMs: dnsTickMs ?? tickMs })
  const crons = cronScheduler({ ...base, onQueued, tickMs })
  const webhooks = webhookSender({
    ...base,
    mayBePrivate: () => config.now.webhookTargets === 'any',
    version: version().trim(),
    tickMs,
    ca: webhookCa,
  })
  const conditions = watcher({
    ...base,
    sources: conditionSources,
    machine,
    agentTrouble: () => (agent.connected ? (agent.readOnly ?? undefined) : 'it is not connected to the panel'),
    canMail: () => config.canMail,
    pace: watcherPace,
  })
  const drift = driftWatcher({ ...base, page: driftPage, machine, kinds, pace: driftPace })
  const usage = usageCollector({
    ...base,
    ask: (of, tenants, answer) => agent.ask({ t: 'usage', of, tenants: [...tenants] }, answer, usagePatienceMs),
    tickMs: usageTickMs,
  })
  const logins = loginRecorder({
    ...base,
    ask: (told) => agent.ask({ t: 'ssh_sessions', told: [...told] }, SshSessions, 10_000),
    tickMs,
  })
  const prober = siteProber({
    ...base,
    ...probePace,
    web,
    ports: () => ({ http: config.now.httpPort, https: config.now.httpsPort }),
  })
  const { sessions, challenges, networks } = auth
  const house = housekeeping({ ...base, sessions, challenges, networks, idempotency, onQueued })
  const all = [house, mail, proofs, renewer, ends, dnsKeys, crons, webhooks, conditions, drift, usage, logins, prober]
  return {
    mail,
    house,
    start(): void {
      for (const worker of all) worker.start()
    },
    async stop(): Promise<void> {
      for (const worker of all) await worker.stop()
    },
  }
}
