import { fileURLToPath } from 'node:url'
import { isPacked } from '../../program/assets.ts'
import type { Role } from '../../program/roles.ts'

/**
 * How this very program is started again in another role. `/proc/self/exe` is the running file even after an upgrade has
 * put a new one in its place.
 */
export function selfCommand(role: Role): readonly [file: string, ...argv: string[]] {
  if (isPacked()) return ['/proc/self/exe', role]
  const main = fileURLToPath(new URL('../../main.ts', import.meta.url))
  return [process.execPath, '--disable-sigusr1', '--disable-warning=ExperimentalWarning', main, role]
}
