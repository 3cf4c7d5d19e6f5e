/** Begins a run: written down first, then queued as a job of the same id, in one transaction. */
import type { Id } from '../../contract/values.ts'
import type { PanelContext } from '../as-panel.ts'
import { wordsOfRun } from './command.ts'
import { cronRun } from './jobs.ts'
import type { Cron, Run } from './schema.ts'

export async function beginRun(
  { cronRuns, enqueue }: Pick<PanelContext, 'cronRuns' | 'enqueue'>,
  { id: cron, tenantId: tenant, domainId: domain, command, environment, seconds }: Cron,
  begun: Pick<Run, 'id' | 'dueAt' | 'isByHand'>,
): Promise<Id> {
  await cronRuns.begin({ ...begun, cronId: cron })
  const { data: words, error } = wordsOfRun(command, environment)
  if (words === undefined) throw error
  return enqueue(cronRun, { tenant, cron, domain, run: begun.id, command: words, seconds })
}
