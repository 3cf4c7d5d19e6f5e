/** What a tenant runs on the machine: its own uid and group, nothing of the panel's. PHP, because every machine with sites has it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import type { Customer } from './stage.ts'

const php = '/usr/bin/php'
const bubblewrap = '/usr/bin/bwrap'
/** renameat2(2): both names at once, so that nothing is ever missing. */
export const exchange = `
$libc = FFI::cdef('int renameat2(int, const char*, int, const char*, unsigned int);', 'libc.so.6');
function exchange($a, $b) { global $libc; return $libc->renameat2(-100, $a, -100, $b, 2); }`

/**
 * In a view where of all customers' trees there is its own, as for every process that the product starts for a tenant; the rest of the machine is
 * there, which the product hides.
 */
function inOwnView(uid: number, code: string, docroot: string): readonly string[] {
  const own = dirname(dirname(dirname(docroot)))
  const view = ['--dev-bind', '/', '/', '--tmpfs', dirname(own), '--bind', own, own, '--chdir', docroot]
  const ends = ['--unshare-pid', '--die-with-parent', '--']
  const drops = ['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  return [...view, ...ends, ...drops, php, ...words(code)]
}

const words = (code: string) => ['-d', 'display_errors=stderr', '-r', code]

/**
 * @param docroot where it works, in its own view; without, the tenant's user is anywhere on the machine
 * @returns what it printed; a script that failed says so in it
 */
export function runAs({ uid }: Pick<Customer, 'uid'>, code: string, docroot?: string): string {
  const { stdout, stderr } =
    docroot === undefined
      ? spawnSync(php, words(code), { uid, gid: uid, cwd: '/', env: {}, encoding: 'utf8' })
      : spawnSync(bubblewrap, inOwnView(uid, code, docroot), { cwd: '/', env: {}, encoding: 'utf8' })
  return `${stdout}${stderr}`
}

/** Runs until `end`; it is told by its first line that it has begun. */
export async function keepRunningAs(
  { uid }: Pick<Customer, 'uid'>,
  code: string,
  docroot: string,
): Promise<{ hasEnded(): boolean; end(): Promise<void> }> {
  const child: ChildProcess = spawn(bubblewrap, [...inOwnView(uid, code, docroot)], {
    cwd: '/',
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
