/** Writes each login by SSH into the audit trail, once: a session's id is that of its entry. */
import type { Logger } from 'pino'
import { asWcpError } from '../../contract/errors.ts'
import { type SshSession, type SshSessions, sshSessionsPage } from '../../contract/ssh-session.ts'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'

export interface LoginRecorderOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  /** @param told sessions whose entries are written */
  readonly ask: (told: readonly Id[]) => Promise<SshSessions>
  readonly log: Logger
  readonly tickMs?: number | undefined
}

export function loginRecorder({ db, storesOf, ask, log, tickMs = 10_000 }: LoginRecorderOptions) {
  let told: readonly Id[] = []

  async function round(): Promise<void> {
    const sessions = await ask(told.slice(0, sshSessionsPage))
    const known = new Set(told)
    for (const session of sessions) if (!known.has(session.id)) await record(session)
    told = sessions.map(({ id }) => id)
  }

  async function record({ id, tenant, at, from, key }: SshSession): Promise<void> {
    await db.transaction().execute(async (tx) => {
      const { audit } = storesOf(tx)
      if (await audit.has(id)) return
      const [actorId, actor] = [null, key === null ? 'nobody' : `ssh-key ${key.name}`]
      const what = { action: 'ssh-session.open', outcome: 'ok' as const, metadata: { sshKey: key?.id ?? null } }
      await audit.append({ id, at, actor, actorId, tenantId: tenant, ...what, ip: from, requestId: null })
    })
  }

  function complain(error: unknown): void {
    const { code, message } = asWcpError(error)
    if (code === 'unavailable' || code === 'busy') log.debug({ message }, 'logins by SSH are recorded later')
    else log.error({ err: error }, 'logins by SSH cannot be recorded')
  }

  return ticker(round, tickMs, complain)
}
