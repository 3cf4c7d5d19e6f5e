/** Builds what one call of an operation may use: its stores bound to the call's transaction, and who asks. */
import { z } from 'zod'
import { SigningRequest } from '../../contract/acme.ts'
import { SshSessions } from '../../contract/ssh-session.ts'
import type { Id } from '../../contract/values.ts'
import { Account, DriftReport, HealthSnapshot, Inventory, MirrorReport, RunOutput } from '../../contract/wire.ts'
import { type Actor, nameOf } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import type { LogAccess } from '../../resources/domain/log-access.ts'
import type { FileAccess } from '../../resources/file/access.ts'
import type { QueuedJob } from '../../resources/job/store.ts'
import { type Stores, withStores } from '../../resources/stores.ts'
import { newId } from '../../store/new-id.ts'
import type { AgentLink } from '../jobs/agent-link.ts'

/** As jobs and audit entries name an actor. */
export function actorName(actor: Actor | null): string {
  return actor === null ? 'nobody' : nameOf(actor)
}

export function actorId(actor: Actor | null): Id | null {
  return actor?.kind === 'user' ? (actor.impersonator ?? actor).id : null
}

/** Staff acting as a customer does not count. */
function isStaff(actor: Actor): boolean {
  return actor.kind === 'root' || actor.scope.kind === 'global'
}

export function operationContext(call: {
  readonly actor: Actor
  readonly now: string
  readonly stores: Stores
  readonly policies: Context['policies']
  readonly events: Context['events']
  readonly kinds: Context['kinds']
  readonly machine: Context['machine']
  readonly hashPassword: Context['hashPassword']
  readonly panelHost: string
  readonly machineHost: string
  readonly canMail: boolean
  readonly hasCertificatePort: boolean
  readonly mustEnrol: boolean
  readonly linkUrl: Context['linkUrl']
  readonly web: Context['web']
  readonly session: Context['session']
  readonly body: Context['body']
  /** Filled by `enqueue`, in order. */
  readonly queued: QueuedJob[]
}): Context {
  const { stores, queued, ...given } = call
  const { actor } = given
  const own: Omit<Context, keyof Stores> = {
    ...given,
    newId,
    async enqueue(contract, payload, change) {
      const by = { id: newId(), actor: actorName(actor), actorId: actorId(actor), isStaff: isStaff(actor) }
      const job = await stores.jobs.enqueue(contract, payload, by, change)
      queued.push(job)
      return job.id
    },
  }
  return withStores(stores, own)
}

/** What was a tenant's stays its own for ever, so an answer is good as long as this process. */
const mostUids = 10_000

/** The machine as the root side sees it, asked over the link. */
export function machineView(
  link: Pick<AgentLink, 'ask' | 'phpVersions' | 'send' | 'readOnly'>,
  files: FileAccess,
  logs: LogAccess,
): Context['machine'] {
  const uids = new Map<Id, number>()
  return {
    async uid(tenant) {
      const known = uids.get(tenant)
      if (known !== undefined) return known
      const account = await link.ask({ t: 'account', tenant }, Account, 1000).catch(() => null)
      if (account === null) return null
      if (uids.size >= mostUids) uids.clear()
      uids.set(tenant, account.uid)
      return account.uid
    },
    health: () => link.ask({ t: 'inspect', what: 'health' }, HealthSnapshot, 10_000),
    drift: () => link.ask({ t: 'inspect', what: 'drift' }, DriftReport, 50_000),
    inventory: (of, after) => link.ask({ t: 'inventory', of, after }, Inventory, 10_000),
    audit: () => link.ask({ t: 'inspect', what: 'audit' }, MirrorReport, 120_000),
    phpVersions: () => link.phpVersions,
    files,
    logs,
    output: (job, after) => link.ask({ t: 'output', job, after }, RunOutput, 10_000),
    signingRequest: (certificate) => link.ask({ t: 'csr', certificate }, SigningRequest, 10_000),
    sshSessions: () => link.ask({ t: 'ssh_sessions', told: [] }, SshSessions, 10_000),
    async endSshSession(session) {
      await link.ask({ t: 'end_ssh', session }, z.null(), 120_000)
    },
    stop: (job) => link.send({ t: 'stop', job }),
    ownFiles: (what, by) => link.readOnly === null && link.send({ t: 'own_files', what, by }),
  }
}
