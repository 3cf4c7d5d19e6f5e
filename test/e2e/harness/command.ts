// Starts programs of the host: argument lists, never a shell, and never without a time limit.

import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'

export type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type CommandOptions = {
  readonly input?: string | Uint8Array
  /** Milliseconds; the program is killed when they are over. */
  readonly timeout?: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Resolves with whatever exit code came; rejects when the program cannot start or its time is over. */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const { input = '', timeout = 60_000, cwd, env } = options
  const child = start(argv, { cwd, env })
  child.stdin.on('error', () => {}) // a program may end without reading its input: its exit code tells
  child.stdin.end(input)
  return outcome(child, argv, timeout)
}

/** The standard output of a program that must succeed. */
export async function succeed(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await command(argv, options)
  if (code !== 0)
    throw new Error(`Cannot run ${argv.slice(0, 4).join(' ')}: exit code ${code}\n${tail(stderr || stdout)}`)
  return stdout
}

/** Runs `from | to`; both must succeed. */
export async function pipe(from: readonly string[], to: readonly string[], timeout: number): Promise<void> {
  const source = start(from, {})
  const sink = start(to, {})
  source.stdin.end()
  const ends = Promise.all([outcome(source, from, timeout), outcome(sink, to, timeout)])
  await Promise.all([ends, pipeline(source.stdout, sink.stdin).catch(() => {})]) // a broken pipe shows as an exit code
  const failed = (await ends).find((end) => end.code !== 0)
  if (failed) throw new Error(`Cannot run ${from[0]} | ${to[0]}: exit code ${failed.code}\n${tail(failed.stderr)}`)
}

export function tail(text: string, lines = 30): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}

function start(
  argv: readonly string[],
  { cwd, env }: { cwd?: string | undefined; env?: CommandOptions['env'] | undefined },
) {
  const [program = '', ...args] = argv
  return spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
}

function outcome(child: ReturnType<typeof start>, argv: readonly string[], timeout: number): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString()
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(
      new Error(
        `Cannot wait for ${argv.slice(0, 4).join(' ')}: still running after ${timeout} ms\n${tail(text(stderr))}`,
      ),
    )
  }, timeout)
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.on('error', reject)
  child.on('close', (code) => resolve({ code: code ?? 128, stdout: text(stdout), stderr: text(stderr) }))
  return promise.finally(() => clearTimeout(timer))
}
