/** Has the machine looked at by a process of its own (`drift-main.ts`). */
import { DriftReport } from '../../contract/wire.ts'
import type { Layout } from '../os/layout.ts'
import { askRole } from '../os/self-command.ts'

const longestMs = 10 * 60_000
const longestReport = 1024 * 1024

/** @param signal ends it, as when the agent stops. */
export async function driftByChild({ root }: Layout, signal: AbortSignal): Promise<DriftReport> {
  const limits = { timeoutMs: longestMs, outputLimit: longestReport, signal }
  return DriftReport.parse(await askRole('drift', [root], { what: 'look for drift', ...limits }))
}
