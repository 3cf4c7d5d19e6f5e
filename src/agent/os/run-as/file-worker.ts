/**
 * The process that works on a tenant's files for the panel (`src/file-worker`): this very program, as the tenant, in the tenant's
 * slice and view. It is handed a connection and speaks with the panel over it; root reads not a byte of what they say.
 */
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isPacked } from '../../../program/assets.ts'
import { sandboxed, setprivArgv } from '../direct-services-sandbox.ts'
import { exec, spawnService } from '../exec.ts'
import type { Layout } from '../layout.ts'
import { selfCommand } from '../self-command.ts'
import { sliceUnit, tenantView } from '../systemd-services-units.ts'
import { sandboxMark } from '../tenant-sandboxes.ts'
import type { FileWorker, StartedFileWorker } from './file-work.ts'
import type { Surroundings } from './systemd-runs.ts'
import { tenantArgv } from './tenant-run.ts'

/** Node itself takes 60 MB and eleven threads; an upload goes through without being held. */
const memMb = 256
const mostTasks = 64
/** Also one that is busy all the time: an upload of some hundred GiB takes so long. */
const longestSeconds = 12 * 3600
const mostFiles = 256

/** @param connection stays open here; the worker has its own copy */
export async function startBySystemd(
  places: Layout,
  surroundings: Surroundings,
  worker: FileWorker,
  connection: Socket,
): Promise<StartedFileWorker> {
  await surroundings.prepare(worker)
  const argv = workerUnitArgv(places, worker, surroundings.isFiltered())
  const { ended } = await spawnService('/usr/bin/systemd-run', argv, { stdio: [connection, 'ignore', 'ignore'] })
  const stop = ['stop', '--', `${workerName(worker)}.service`]
  return { ended, end: async () => void (await exec('/usr/bin/systemctl', stop, { timeoutMs: 60_000 })) }
}

/** Without systemd nothing bounds its memory: a limit of addresses would keep V8 from starting. */
export async function startBySandbox(
  places: Layout,
  worker: FileWorker,
  connection: Socket,
): Promise<StartedFileWorker> {
  const { bound, argv } = ownProgram(places)
  const pids = worker.sliceLimits.pids ?? 512
  const limits = ['--core=0', `--nofile=${mostFiles}`, `--nproc=${pids}`, '--']
  const binds = bound.flatMap(([from, to]) => ['--ro-bind', from, to])
  const parents = bound.map(([, to]) => dirname(to))
  const box = sandboxed(places, worker, { more: [...dirs(parents), ...binds, ...sandboxMark(workerName(worker))] })
  const words = ['/usr/bin/setpriv', ...setprivArgv(worker), ...commandOf(places, worker, argv)]
  const stdio = [connection, 'ignore', 'ignore', 'ignore', ...box.data] as const
  const { ended, kill } = await spawnService('/usr/bin/prlimit', [...limits, ...box.argv, ...words], { stdio })
  return {
    ended,
    async end() {
      kill('SIGKILL') // bubblewrap, and with it all that is in its namespace
      await ended
    },
  }
}

export function workerUnitArgv(places: Layout, worker: FileWorker, isFiltered: boolean): readonly string[] {
  const { bound, argv } = ownProgram(places)
  const shown = bound.map(([from, to]) => `${from}:${to}`)
  const properties = [
    'Type=exec',
    'KillMode=control-group',
    'TimeoutStopSec=5',
    `RuntimeMaxSec=${longestSeconds}`,
    `TasksMax=${mostTasks}`,
    `MemoryMax=${memMb}M`,
    'MemorySwapMax=0',
    'OOMPolicy=kill',
    ...tenantView(places, worker, { policy: worker.sliceLimits.egress, isFiltered }, shown),
  ]
  return [
    '--quiet',
    '--collect',
    '--wait',
    '--pipe',
    `--unit=${workerName(worker)}.service`,
    `--description=Files of ${worker.name}`,
    `--slice=${sliceUnit(worker.name)}`,
    `--uid=${worker.uid}`,
    `--gid=${worker.gid}`,
    ...properties.map((property) => `--property=${property}`),
    '--',
    ...commandOf(places, worker, argv),
  ]
}

function workerName({ id }: FileWorker): string {
  return `wcp-files-${id}`
}

function commandOf(
  places: Layout,
  { name, directory, trash }: FileWorker,
  program: readonly string[],
): readonly string[] {
  return tenantArgv(places, { name, php: null, directory: '/', command: [...program, directory, trash] })
}

interface OwnProgram {
  /** What of it the tenant's view lacks: from where, to where. */
  readonly bound: readonly (readonly [from: string, to: string])[]
  readonly argv: readonly string[]
}

/** Its own place is hidden from tenants: in their view it lies among what is theirs of the web server's. */
function ownProgram({ web }: Layout): OwnProgram {
  const [file, ...argv] = selfCommand('file-worker')
  if (isPacked()) {
    const shown = join(web.root, 'wcpd')
    return { bound: [[process.execPath, shown]], argv: [shown, ...argv] }
  }
  const tree = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '')
  const outside = file.startsWith(`${tree}/`) || file.startsWith('/usr/') ? [] : [[file, file] as const]
  return { bound: [[tree, tree], ...outside], argv: [file, ...argv] }
}

function dirs(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [...upwards(path)].reverse()))].flatMap((path) => ['--dir', path])
}

function* upwards(path: string): Generator<string> {
  for (let at = path; at !== '/'; at = dirname(at)) yield at
}
