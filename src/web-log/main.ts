/**
 * The writer of the web server's logs. nginx sends each line as a datagram that it drops when nobody reads; this writes them
 * to files of a bounded size, in which no tenant takes more than its share. Unprivileged, without packages: what it reads
 * comes from strangers.
 *
 *     web-log DIRECTORY HOSTS
 *
 * Descriptors 3, 4, 5 are its sockets, in the order of `sockets`. They belong to systemd or to the agent, and outlive it.
 */
import { getPriority, setPriority } from 'node:os'
import { receive } from './datagrams.ts'
import { type LogName, WebLog } from './web-log.ts'

/** Errors of requests to PHP come by a socket of their own: they fill no other's queue. */
const sockets: readonly LogName[] = ['access', 'error', 'error']
const firstSocket = 3
const writeMs = 250
const settleMs = 60_000
/** Processes that serve visitors go first. */
const niceness = 10

export async function main(argv: readonly string[]): Promise<number | undefined> {
  const [directory, hosts, ...rest] = argv
  if (!directory?.startsWith('/') || !hosts?.startsWith('/') || rest.length > 0) {
    process.stderr.write('usage: web-log DIRECTORY HOSTS\n')
    return 2
  }
  process.umask(0o027)
  if (getPriority() < niceness) setPriority(niceness) // below systemd its unit says so, and forbids this call
  process.stderr.on('error', () => {}) // nobody reads any more what is said
  const log = new WebLog({ directory, hosts, say, now: () => performance.now() })
  let isDue = false
  const write = () => {
    isDue = false
    log.write()
  }
  const take = (name: LogName, datagram: Buffer) => {
    log.take(name, datagram)
    if (!isDue) setTimeout(write, writeMs)
    isDue = true
  }
  for (const [at, name] of sockets.entries()) receive(firstSocket + at, (datagram) => take(name, datagram))
  setInterval(() => log.settle(), settleMs)
  const stop = () => {
    log.settle()
    log.write()
    process.kill(process.pid, 'SIGKILL') // an exit would wait for the threads that read
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  return undefined
}

function say(facts: Readonly<Record<string, unknown>>, message: string): void {
  process.stderr.write(`${JSON.stringify({ level: 40, time: Date.now(), ...facts, msg: message })}\n`)
}
