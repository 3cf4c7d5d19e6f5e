/** The web server's own program: its version, the test of its configuration, its running master. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import { errorCode } from './error-code.ts'
import { exec, type ServiceProcess, spawnService } from './exec.ts'
import type { Layout } from './layout.ts'
import { goFirst } from './precedence.ts'
import { processes, programOf, signal } from './processes.ts'

export type NginxVersion = readonly [major: number, minor: number, patch: number]

export const nginxBinary = '/usr/sbin/nginx'

let known: { readonly file: string; readonly version: NginxVersion } | undefined

/** Asks the program itself, and again only when another file is in its place: the health page wants it at each look. */
export async function nginxVersion(): Promise<NginxVersion> {
  const { ino, size, mtimeMs } = statSync(nginxBinary)
  const file = `${ino} ${size} ${mtimeMs}`
  if (known?.file === file) return known.version
  const { stderr } = await exec(nginxBinary, ['-v'])
  const version = parseNginxVersion(stderr)
  if (!version)
    throw new WcpError('machine_failed', 'Cannot find out the version of nginx', { cause: new Error(stderr) })
  known = { file, version }
  return version
}

/** From `nginx -v`: "nginx version: nginx/1.22.1". */
export function parseNginxVersion(text: string): NginxVersion | undefined {
  const match = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}

/** `nginx -t`; throws `machine_failed` with the first line of what nginx says is wrong. */
export async function testNginxConfig(places: Layout): Promise<void> {
  const { code, stderr } = await exec(nginxBinary, ['-t', '-q', '-c', places.nginxConfig])
  if (code === 0) return
  const words = stderr.split('\n').find((line) => line.includes('[emerg]')) ?? stderr.trim()
  throw new WcpError(
    'machine_failed',
    `Cannot use nginx's configuration: ${words.replace(/^.*\[emerg\] (\d+#\d+: )?/, '')}`,
    {
      help: 'Mend or remove the named file and try again; nginx keeps running with what it had.',
      cause: new Error(stderr),
    },
  )
}

/**
 * Process id of the running master, by its pid file; a file that names another program's process counts for nothing.
 * @throws when that cannot be told, as without a free descriptor: who took it for "none runs" would start a second one
 */
export function nginxMaster(places: Layout): number | undefined {
  try {
    const pid = writtenPid(places)
    if (pid === undefined) return undefined
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'nginx' ? pid : undefined
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return undefined // no pid file, no such process
    throw error
  }
}

/** The pid in the pid file, which outlives a master that was killed. */
function writtenPid({ nginxPid }: Layout): number | undefined {
  const pid = Number.parseInt(readFileSync(nginxPid, 'utf8'), 10)
  return pid > 1 ? pid : undefined
}

/** Milliseconds that a running nginx may take until it works by its new configuration. */
const reloadMs = 15_000

/**
 * `reload` tells the running master to read its configuration; this resolves when it has, which shows in a worker that was
 * not there before, and when the workers of before take no more connections. Throws `machine_failed` when it does not: a master that hangs has taken nothing, whatever the exit code
 * of what told it to. Without a running master there is nothing to tell.
 */
export async function reloadRunningNginx(places: Layout, reload: (master: number) => Promise<void>): Promise<void> {
  const master = nginxMaster(places)
  if (master === undefined) return
  const before = childrenOf(master)
  await reload(master)
  const deadline = performance.now() + reloadMs
  while (!childrenOf(master).some((pid) => !before.includes(pid))) {
    if (performance.now() > deadline) throw notReloaded(master)
    await sleep(50)
  }
  while (before.some(isAccepting) && performance.now() < deadline) await sleep(20)
}

/** A worker of before takes connections until it is told to end, which its title says; those that it has it ends in its time. */
function isAccepting(pid: string): boolean {
  try {
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return title.startsWith('nginx: worker') && !title.includes('shutting down')
  } catch {
    return false // it has ended
  }
}

function notReloaded(master: number): WcpError {
  return new WcpError(
    'machine_failed',
    `Cannot reload nginx: its master, process ${master}, did not take the new configuration`,
    {
      help: 'Look at "systemctl status nginx" and its error log; "systemctl restart nginx" ends a master that hangs.',
    },
  )
}

/** proc(5), "/proc/pid/task/tid/children"; a process that has ended has none. */
function childrenOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    return []
  }
}

/**
 * Workers whose master was killed alone keep the ports, so that no other can start: they finish what they are at, and take
 * nothing new (nginx's SIGQUIT). They are in the process group of the master that the pid file still names.
 */
function endOrphans(places: Layout): void {
  const former = existsSync(places.nginxPid) ? writtenPid(places) : undefined
  if (former === undefined) return
  for (const { pid, group } of processes()) if (group === former && programOf(pid) === 'nginx') signal(pid, 'SIGQUIT')
}

/**
 * For when none runs.
 * @param held sockets that it sends to: as it holds them too, what it sends while nobody reads is dropped. A socket that is
 *   gone would be a line of its own log for each.
 */
export async function startNginx(places: Layout, held: readonly number[]): Promise<ServiceProcess> {
  endOrphans(places)
  const master = await spawnService(nginxBinary, ['-c', places.nginxConfig, '-g', 'daemon off;'], {
    stdio: ['ignore', 'inherit', 'inherit', ...held],
  })
  goFirst(master.pid)
  return master
}
