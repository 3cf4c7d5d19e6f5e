/** Has the machine looked at by a process of its own (`drift-main.ts`). */
import type { TenantName } from '../../contract/values.ts'
import { DriftPage, DriftReport } from '../../contract/wire.ts'
import type { Layout } from '../os/layout.ts'
import { askRole } from '../os/self-command.ts'

const longestMs = 10 * 60_000
const longestReport = 1024 * 1024

/** @param signal ends it, as when the agent stops. */
export async function driftByChild(places: Layout, signal: AbortSignal): Promise<DriftReport> {
  return DriftReport.parse(await look(places, signal, []))
}

/** @param after name of the last tenant that was looked at */
export async function driftPageByChild(
  places: Layout,
  signal: AbortSignal,
  after: TenantName | null,
): Promise<DriftPage> {
  return DriftPage.parse(await look(places, signal, ['page', ...(after === null ? [] : [after])]))
}

async function look({ root }: Layout, signal: AbortSignal, part: readonly string[]): Promise<unknown> {
  const limits = { timeoutMs: longestMs, outputLimit: longestReport, signal }
  return await askRole('drift', [root, ...part], { what: 'look for drift', ...limits })
}
