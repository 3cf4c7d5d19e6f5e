/** Visitors in a process of their own, who ask again the moment they are answered: wrk(1). */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const script = fileURLToPath(new URL('wrk.lua', import.meta.url))
const longestSeconds = 3600

const Summary = z
  .object({
    requests: z.int(),
    microseconds: z.number(),
    /** No connection, no answer, or a status above 399. */
    failed: z.int(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
  })
  .transform(({ requests, failed, microseconds, ...latencies }) => ({
    requests,
    failed,
    perSecond: requests / (microseconds / 1e6),
    p50: latencies.p50 / 1000,
    p95: latencies.p95 / 1000,
    p99: latencies.p99 / 1000,
  }))
/** Latencies are milliseconds. */
export type Visits = z.output<typeof Summary>

export interface Rush {
  /** Ends it and tells what became of its requests. */
  stop(): Promise<Visits>
}

export interface RushOptions {
  readonly port: number
  readonly host: string
  readonly path?: string
  /** `http` unless told; the certificate is not looked at. */
  readonly scheme?: 'http' | 'https'
  /** `Name: value` */
  readonly headers?: readonly string[]
  /** Connections, all served by one thread. */
  readonly connections: number
  /** Between an answer and the next request; none unless told. */
  readonly pauseMs?: number
}

/** Goes on until it is stopped. */
export function startRush(options: RushOptions): Rush {
  const wrk = begin(options, longestSeconds)
  return {
    stop() {
      wrk.interrupt()
      return wrk.summary
    },
  }
}

export function rushFor(seconds: number, options: RushOptions): Promise<Visits> {
  return begin(options, seconds).summary
}

function begin(
  { port, host, path = '/', scheme = 'http', headers = [], connections, pauseMs = 0 }: RushOptions,
  seconds: number,
) {
  const child = spawn(
    '/usr/bin/wrk',
    [
      ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--timeout', '30s'],
      ...[`Host: ${host}`, ...headers].flatMap((header) => ['--header', header]),
      ...['--script', script, `${scheme}://127.0.0.1:${port}${path}`],
      ...(pauseMs > 0 ? ['--', String(pauseMs)] : []),
    ],
    // In a session of its own, as visitors have machines of their own: the kernel shares processors out between sessions
    // first (sched(7), autogroup), and the product that the bench has started is of the bench's.
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  )
  const orphaned = () => child.kill()
  process.once('exit', orphaned)
  child.once('close', () => process.off('exit', orphaned))
  const summary = new Promise<Visits>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    child.once('error', (cause) => reject(new Error('Cannot start wrk: install the package "wrk"', { cause })))
    child.once('close', () => {
      const line = text.split('\n').findLast((one) => one.startsWith('{'))
      if (line === undefined) reject(new Error(`wrk ended without its figures: ${text.slice(-500)}`))
      else resolve(Summary.parse(JSON.parse(line)))
    })
  })
  // wrk prints what it has at SIGINT
  return { summary, interrupt: () => child.kill('SIGINT') }
}
