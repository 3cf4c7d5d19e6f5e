/** What a tenant runs on the machine: its own uid and group, nothing of the panel's. PHP, because every machine with sites has it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Customer } from './stage.ts'

const php = '/usr/bin/php'
/** renameat2(2): both names at once, so that nothing is ever missing. */
export const exchange = `
$libc = FFI::cdef('int renameat2(int, const char*, int, const char*, unsigned int);', 'libc.so.6');
function exchange($a, $b) { global $libc; return $libc->renameat2(-100, $a, -100, $b, 2); }`

/** @returns what it printed; a script that failed says so in it */
export function runAs({ uid }: Pick<Customer, 'uid'>, code: string, cwd = '/'): string {
  const { stdout, stderr } = spawnSync(php, ['-d', 'display_errors=stderr', '-r', code], {
    uid,
    gid: uid,
    cwd,
    env: {},
    encoding: 'utf8',
  })
  return `${stdout}${stderr}`
}

/** Runs until `end`; it is told by its first line that it has begun. */
export async function keepRunningAs(
  { uid }: Pick<Customer, 'uid'>,
  code: string,
  cwd: string,
): Promise<{ hasEnded(): boolean; end(): Promise<void> }> {
  const child: ChildProcess = spawn(php, ['-r', `${code}`], {
    uid,
    gid: uid,
    cwd,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk) => (said += chunk))
  const begun = child.stdout === null ? Promise.resolve() : once(child.stdout, 'data')
  await Promise.race([begun, once(child, 'exit').then(() => Promise.reject(new Error(`it ended at once: ${said}`)))])
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    hasEnded,
    async end() {
      if (hasEnded()) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
