/** The only place of the root side that starts a process: absolute path, argv array, literal environment, never a shell (B9). */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { signal } from './processes.ts'

/** The environment of a child, whatever the agent was started with. */
export const literalEnv: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
}

const outputLimit = 64 * 1024
const mostWords = 1000

export interface ExecOptions {
  /** After this the whole process group is killed and the call fails; 30 s unless told. */
  readonly timeoutMs?: number
  readonly input?: string | Uint8Array
  /** Bytes of its output; more is a failure. 64 KiB unless told. */
  readonly outputLimit?: number
  /** Kills the whole process group, and the call fails. */
  readonly signal?: AbortSignal
  /** Always both: a uid without a gid would keep root's group (B2). Supplementary groups are dropped. */
  readonly as?: { readonly uid: number; readonly gid: number }
  readonly cwd?: string
  /** Replaces the literal environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface ExecResult {
  /** Exit code; 128 and the signal's number when a signal ended it, as shells say it. */
  readonly code: number
  readonly stdout: string
  /** Its first 64 KiB. */
  readonly stderr: string
}

/** Runs a program to its end. A non-zero code is a result, not an error; see `execOk`. */
export async function exec(file: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  checkCommand(file, argv)
  const child = spawn(file, [...argv], {
    ...identity(options.as),
    cwd: options.cwd ?? '/',
    env: { ...(options.env ?? literalEnv) },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that a timeout also reaches grandchildren
  })
  const mostOutput = options.outputLimit ?? outputLimit
  const stdout = collect(child.stdout, mostOutput)
  const stderr = collect(child.stderr, outputLimit)
  let isLate = false
  const end = () => {
    isLate = true
    killGroup(child.pid)
    child.stdout?.destroy() // a grandchild that left the group must not keep the call open
    child.stderr?.destroy()
  }
  const timer = setTimeout(end, options.timeoutMs ?? 30_000)
  options.signal?.addEventListener('abort', end)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exit, signal) => resolve(exit ?? 128 + signalNumber(signal)))
      child.stdin?.on('error', () => {}) // the child may end without reading; its exit code tells
      child.stdin?.end(options.input)
    })
    if (isLate) throw new WcpError('machine_failed', `Cannot wait longer for "${file}": it was killed`)
    if (stdout.isCut())
      throw new WcpError('machine_failed', `Cannot read the output of "${file}": over ${mostOutput / 1024} KiB`)
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  } catch (cause) {
    if (cause instanceof WcpError) throw cause
    throw new WcpError('machine_failed', `Cannot start "${file}"`, { cause })
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', end)
  }
}

/** `exec` for programs that must succeed; the error quotes the last line of what they said. */
export async function execOk(file: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const result = await exec(file, argv, options)
  if (result.code !== 0) {
    const said = new Error((result.stderr.trim() || result.stdout.trim()).slice(-4000))
    throw new WcpError('machine_failed', `Cannot run "${file} ${argv[0] ?? ''}": exit code ${result.code}`, {
      cause: said,
    })
  }
  return result
}

export interface ServiceProcess {
  readonly pid: number
  /** Resolves with the exit code, in `ExecResult`'s way. */
  readonly ended: Promise<number>
  /** To its whole process group. */
  kill(signal: NodeJS.Signals): void
  /** The end of what it has said to the descriptor `words`. */
  words(): string
  /** Our end of the descriptor `link`, which it reads from and writes to. */
  link(): Socket
}

export interface ServiceOptions {
  /**
   * Descriptors 0, 1, 2 and further; a number or a socket is one of ours, which stays open here. `words` is read as long as we
   * live, and only its end is kept: nothing that a process says there grows anywhere. A `link` is a pair of
   * sockets, and none of the first: Node does not read from a child's standard input.
   */
  readonly stdio: readonly (number | 'ignore' | 'inherit' | 'words' | 'link' | Uint8Array | Socket)[]
  readonly env?: Readonly<Record<string, string>>
  readonly as?: { readonly uid: number; readonly gid: number }
  readonly cwd?: string
}

/** Starts a process that outlives the call, in its own session. Bytes in `stdio` are given to the child to read. */
export async function spawnService(
  file: string,
  argv: readonly string[],
  options: ServiceOptions,
): Promise<ServiceProcess> {
  checkCommand(file, argv)
  const child = spawn(file, [...argv], {
    ...identity(options.as),
    cwd: options.cwd ?? '/',
    env: { ...(options.env ?? literalEnv) },
    stdio: options.stdio.map((entry) => (isOurs(entry) || isPlain(entry) ? entry : 'pipe')),
    detached: true,
  })
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (exit, signal) => resolve(exit ?? 128 + signalNumber(signal)))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new WcpError('machine_failed', `Cannot start "${file}"`, { cause })))
  })
  let words = ''
  for (const [index, entry] of options.stdio.entries()) {
    if (entry === 'words') {
      const said = child.stdio[index] as Socket // 'pipe' entries are duplex sockets
      said.setEncoding('utf8').on('data', (text: string) => {
        words = `${words}${text}`.slice(-mostWords)
      })
      said.on('error', () => {}) // its end is the process's
      said.unref()
    }
    if (!(entry instanceof Uint8Array)) continue
    const pipe = child.stdio[index] as import('node:stream').Writable // 'pipe' entries are duplex sockets
    pipe.on('error', () => {}) // a child that ended early tells by its exit code
    pipe.end(entry)
  }
  const pid = child.pid
  if (pid === undefined) throw new WcpError('machine_failed', `Cannot start "${file}": it has no process id`)
  child.unref()
  const link = child.stdio[options.stdio.indexOf('link')]
  return {
    pid,
    ended,
    kill: (signal) => killGroup(pid, signal),
    words: () => words,
    link() {
      if (link instanceof Socket) return link
      throw new WcpError('internal', `Cannot talk to "${file}": it was started without a link`)
    },
  }
}

function isOurs(entry: ServiceOptions['stdio'][number]): entry is number | Socket {
  return typeof entry === 'number' || entry instanceof Socket
}

function isPlain(entry: ServiceOptions['stdio'][number]): entry is 'ignore' | 'inherit' {
  return entry === 'ignore' || entry === 'inherit'
}

function checkCommand(file: string, argv: readonly string[]): void {
  if (!isAbsolute(file)) throw new WcpError('internal', `Cannot start "${file}": not an absolute path`)
  if ([file, ...argv].some((word) => word.includes('\0'))) {
    throw new WcpError('internal', `Cannot start "${file}": an argument holds a NUL byte`)
  }
}

function identity(as: ExecOptions['as']): { uid?: number; gid?: number } {
  return as === undefined ? {} : { uid: as.uid, gid: as.gid }
}

function collect(stream: import('node:stream').Readable | null, limit: number) {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size))
    size += chunk.length
  })
  return { text: () => Buffer.concat(chunks).toString('utf8'), isCut: () => size > limit }
}

function killGroup(pid: number | undefined, name: NodeJS.Signals = 'SIGKILL'): void {
  if (pid !== undefined) signal(-pid, name)
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal]
}
