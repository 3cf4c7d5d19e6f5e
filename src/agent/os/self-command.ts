import { fileURLToPath } from 'node:url'
import { WcpError } from '../../contract/errors.ts'
import { isPacked } from '../../program/assets.ts'
import type { Role } from '../../program/roles.ts'
import { exec } from './exec.ts'

/**
 * How this very program is started again in another role. `/proc/self/exe` is the running file even after an upgrade has
 * put a new one in its place.
 */
export function selfCommand(role: Role): readonly [file: string, ...argv: string[]] {
  if (isPacked()) return ['/proc/self/exe', role]
  const main = fileURLToPath(new URL('../../main.ts', import.meta.url))
  return [process.execPath, '--disable-sigusr1', '--disable-warning=ExperimentalWarning', main, role]
}

/**
 * What another role of this program prints as JSON, which the caller checks.
 * @throws WcpError `machine_failed`, "Cannot …", when it ends with another code than 0
 */
export async function askRole(
  role: Role,
  args: readonly string[],
  { what, ...limits }: { what: string; timeoutMs: number; outputLimit: number; signal: AbortSignal },
): Promise<unknown> {
  const [file, ...argv] = selfCommand(role)
  const { code, stdout, stderr } = await exec(file, [...argv, ...args], limits)
  if (code === 0) return JSON.parse(stdout)
  throw new WcpError('machine_failed', `Cannot ${what}: its process ended with ${code}`, { cause: new Error(stderr) })
}
