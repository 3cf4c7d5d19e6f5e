/** Has the machine looked at by a process of its own (`drift-main.ts`). */
import { WcpError } from '../../contract/errors.ts'
import { DriftReport } from '../../contract/wire.ts'
import { exec } from '../os/exec.ts'
import type { Layout } from '../os/layout.ts'
import { selfCommand } from '../os/self-command.ts'

const longestMs = 10 * 60_000
const longestReport = 1024 * 1024

/** @param signal ends it, as when the agent stops. */
export async function driftByChild({ root }: Layout, signal: AbortSignal): Promise<DriftReport> {
  const [file, ...argv] = selfCommand('drift')
  const limits = { timeoutMs: longestMs, outputLimit: longestReport, signal }
  const { code, stdout, stderr } = await exec(file, [...argv, root], limits)
  if (code !== 0) {
    const cause = new Error(stderr)
    throw new WcpError('machine_failed', `Cannot look for drift: the process that looks ended with ${code}`, { cause })
  }
  return DriftReport.parse(JSON.parse(stdout))
}
