/** All that talks with the agent: the line itself, the runner that carries jobs over it, and the mirror of the audit trail. */
import { NewEpoch } from '../contract/wire.ts'
import { headSender } from './audit/head-sender.ts'
import { auditMirror } from './audit/mirror.ts'
import type { Base } from './base.ts'
import { FileDesk } from './files/file-desk.ts'
import { AgentLink } from './jobs/agent-link.ts'
import { JobEventBus } from './jobs/job-events.ts'
import { jobQueue } from './jobs/job-queue.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { settleRestoredStore } from './rescue/restored-store.ts'

export interface AgentSideOptions extends Pick<Base, 'db' | 'storesOf' | 'config' | 'log'> {
  readonly stallAfterMs: number | undefined
  readonly holdMs: number | undefined
  readonly tickMs: number | undefined
}

interface Hooks {
  /** Clears the cache of API keys. */
  readonly onRestored: () => void
  /** Setup is ended on the root side too, where that is still owed. */
  readonly closeSetupIfDone: () => Promise<void>
}

export type AgentSide = ReturnType<typeof agentSide>

export function agentSide({ db, storesOf, config, log, stallAfterMs, holdMs, tickMs }: AgentSideOptions) {
  const link = new AgentLink(log)
  const files = new FileDesk(link)
  const mirror = auditMirror({ db, log, send: (message) => link.send(message) })
  const remoteHeads = headSender({ url: () => config.now.auditRemote, from: () => config.now.baseUrl, log })
  const events = new JobEventBus()
  const runner = new JobRunner({
    queue: jobQueue(db, storesOf),
    link,
    events,
    log,
    atOnce: () => config.now.jobsAtOnce,
    stallAfterMs,
    holdMs,
    tickMs,
  })
  const newEpoch = async () => (await link.ask({ t: 'new_epoch' }, NewEpoch, 10_000)).epoch

  return {
    link,
    files,
    mirror,
    events,
    runner,
    async listen(socket: string, { onRestored, closeSetupIfDone }: Hooks): Promise<void> {
      await runner.start()
      await link.listen(socket, {
        async connected(hello) {
          if (await settleRestoredStore(db, hello, newEpoch)) {
            onRestored()
            log.error(restoredHelp, 'the store was put back from a backup')
          }
          await runner.connected(hello)
          void closeSetupIfDone().catch((err) => log.error({ err }, 'setup could not be closed on the root side'))
        },
        heard: (job) => runner.heard(job),
        told: (messages) => runner.told(messages),
        audited(message) {
          mirror.audited(message)
          remoteHeads.told(message.head)
        },
        gone() {
          runner.gone()
          mirror.gone()
        },
      })
    },
    async close(): Promise<void> {
      await mirror.close()
      await files.close()
      await link.close()
      await runner.stop()
      remoteHeads.close()
    },
  }
}

const restoredHelp = {
  help: 'Everybody has to sign in again, and programs need new API keys. "wcp audit verify" says from where on; what was made since is on the machine and not in the store: "wcp health drift" tells of it.',
}
