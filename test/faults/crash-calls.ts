/** The side-effecting system calls of one unfaulted run, as strace (strace(1)) saw them, and what can be done at each. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { isTenantUid } from '../../src/agent/os/tenant-uids.ts'

export type ErrorName = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EMFILE' | 'EAGAIN'
export type Fault = 'SIGKILL' | ErrorName
/** The agent does its work on two threads: the main one (SQLite, sockets, starts of processes) and libuv's (files). */
export type Thread = 'main' | 'pool'

/** The n-th call of this name by this thread since the tracing began: strace counts for each thread. */
export interface Point {
  readonly thread: Thread
  readonly call: string
  readonly n: number
}

export interface Case extends Point {
  readonly fault: Fault
}

const made = ['mkdir', 'mkdirat', 'symlink', 'symlinkat', 'link', 'linkat', 'rename', 'renameat', 'renameat2'] as const
const removed = ['unlink', 'unlinkat', 'rmdir'] as const
const owned = ['chown', 'lchown', 'fchown', 'fchownat', 'chmod', 'fchmod', 'fchmodat'] as const
const synced = ['fsync', 'fdatasync'] as const
const written = ['pwrite64', 'pwritev', 'ftruncate'] as const
/** Everything here is looked at more closely by `isEffect`. */
const mixed = ['openat', 'write', 'writev', 'sendto', 'sendmsg'] as const
const started = ['clone', 'clone3', 'vfork', 'fork'] as const
const other = ['bind', 'kill'] as const
export const calls = [...made, ...removed, ...owned, ...synced, ...written, ...mixed, ...started, ...other] as const

/** Calls that start programs, and the one by which setpriv(1) stops being root. */
export const starting = ['execve', 'execveat', 'setresuid'] as const

/** @param line of `strace -f`. @returns the process that becomes a tenant's in it */
export function tenantProcess(line: string): string | undefined {
  const [, pid, uid] = /^(\d+) +setresuid\((\d+), /.exec(line) ?? []
  return isTenantUid(Number(uid)) ? pid : undefined
}

/** What the kernel may answer to it when something is wrong with the machine. */
function errorsOf(call: string): readonly ErrorName[] {
  const isOf = (names: readonly string[]) => names.includes(call)
  if (isOf(made)) return ['EIO', 'ENOSPC', 'EDQUOT']
  if (isOf(written)) return ['EIO', 'ENOSPC', 'EDQUOT']
  if (isOf(removed) || isOf(owned) || isOf(synced)) return ['EIO']
  if (call === 'openat') return ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE']
  if (isOf(started)) return ['EAGAIN']
  return []
}

export function casesAt(points: readonly Point[]): readonly Case[] {
  return points.flatMap((point) =>
    (['SIGKILL', ...errorsOf(point.call)] as const).map((fault) => ({ ...point, fault })),
  )
}

export function nameOf({ thread, call, n, fault }: Case): string {
  return `${thread} ${call} ${n} ${fault}`
}

export interface Traced {
  readonly points: readonly Point[]
  /** Programs that the agent's children became as root, in order; a tenant's user runs its tenant's own command. */
  readonly programs: readonly string[]
}

/** @param text output of `strace -f -y` of the agent; its children are in it as well, and count only for what they execute. */
export function readTrace(text: string, threads: Readonly<Record<Thread, number>>): Traced {
  const counts = new Map<string, number>()
  const points: Point[] = []
  const programs: string[] = []
  const tenants = new Set<string | undefined>()
  for (const line of text.split('\n')) {
    const [, pid = '', call = '', rest = ''] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? []
    tenants.add(tenantProcess(line))
    if (call.startsWith('execve') && !tenants.has(pid)) programs.push(/"([^"]*)"/.exec(rest)?.[1] ?? rest)
    const thread = Number(pid) === threads.main ? 'main' : Number(pid) === threads.pool ? 'pool' : undefined
    if (thread === undefined) continue
    const key = `${thread} ${call}`
    const n = (counts.get(key) ?? 0) + 1
    counts.set(key, n)
    if (isEffect(thread, call, rest)) points.push({ thread, call, n })
  }
  return { points, programs }
}

/**
 * Reading is no effect, and neither is a thread waking another. How often the pool wakes the main thread is no
 * matter of the job: a count of its writes names no place, so its writes to files are tried by the calls around them.
 */
function isEffect(thread: Thread, call: string, rest: string): boolean {
  if (!(calls as readonly string[]).includes(call)) return false
  if (call === 'openat') return rest.includes('O_CREAT')
  if (call === 'kill') return !rest.includes(', 0)')
  if (call === 'write' || call === 'writev') return thread === 'main' && /^\d+<(socket|UNIX|\/)/.test(rest)
  return true
}

/** Interpreters of commands: the root side never becomes one (B9). */
const shells = /^(ba|da|z|k|tc|c|fi)?sh$|^(busybox|env|perl\d*|python[\d.]*|ruby|awk|gawk|mawk|xargs|eval)$/

export function isShell(program: string): boolean {
  return shells.test(program.split('/').at(-1) ?? '')
}

export function threadsOf(agent: number): Readonly<Record<Thread, number>> {
  const tasks = readdirSync(`/proc/${agent}/task`).map(Number)
  const pool = tasks.find((tid) => readFileSync(`/proc/${agent}/task/${tid}/comm`, 'utf8').trim() === 'libuv-worker')
  if (pool === undefined) throw new Error('the agent has no thread for files yet')
  return { main: agent, pool }
}

/** Resolves when strace follows the process; `end` lets it go on without. */
export async function attach(argv: readonly string[]): Promise<{ end(): Promise<void> }> {
  const strace = spawn('/usr/bin/strace', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(strace, 'exit')
  await attached(strace)
  return {
    async end() {
      strace.kill('SIGTERM')
      await ended
    },
  }
}

async function attached(strace: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  strace.stderr?.on('data', (chunk) => {
    said += chunk
    if (said.includes(' attached')) resolve()
  })
  strace.once('exit', (code) => reject(new Error(`strace ended with code ${code}: ${said}`)))
  await promise
}

/** Only the one thread: without `-f` its children and the other threads are left alone. */
export function injectionArgv({ thread, call, n, fault }: Case, agent: number): readonly string[] {
  const what = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  const tid = threadsOf(agent)[thread]
  return ['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${n}`, '-p', String(tid)]
}
