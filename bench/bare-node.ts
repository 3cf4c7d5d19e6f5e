/** The reference of the executable: the same Node with nothing to do, in the same minute. */
import { spawnSync } from 'node:child_process'

export function bareNode(): void {
  const { status, stderr } = spawnSync(process.execPath, ['-e', '0'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`node -e 0 failed: ${stderr}`)
}
