/**
 * Readiness, reload and watchdog messages to systemd (sd_notify(3)): datagrams to `$NOTIFY_SOCKET`. Without that variable
 * every call does nothing. Node has no datagram sockets of the unix kind, so libc is asked.
 */

export interface Notifier {
  /** Half of `WatchdogSec`, or undefined when nobody watches. */
  readonly watchdogMs: number | undefined
  /** One or more lines such as `READY=1`; a message that nobody takes is lost, as the protocol wants. */
  say(...lines: string[]): void
}

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

export function notifier(env: Readonly<Record<string, string | undefined>>): Notifier {
  const address = env.NOTIFY_SOCKET
  if (address === undefined || address === '') return { watchdogMs: undefined, say() {} }
  const microseconds = Number(env.WATCHDOG_USEC ?? 0)
  const watchdogMs = microseconds > 0 ? Math.floor(microseconds / 2000) : undefined
  const send = datagramSender(address)
  return { watchdogMs, say: (...lines) => send(Buffer.from(lines.join('\n'))) }
}

/** RELOADING=1 wants the moment by the monotonic clock (sd_notify(3)). */
export function reloadingLines(): [string, string] {
  return ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]
}

function datagramSender(path: string): (message: Buffer) => void {
  const libc = process.getBuiltinModule('node:ffi').dlopen(null, {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    sendto: { arguments: ['int32', 'pointer', 'uint64', 'int32', 'pointer', 'uint32'], return: 'int64' },
  }).functions
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  const address = unixAddress(path)
  return (message) => {
    libc.sendto(fd, message, BigInt(message.length), MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length)
  }
}

/** struct sockaddr_un; a leading `@` stands for the NUL of an abstract name (unix(7)). */
function unixAddress(path: string): Buffer {
  const name = Buffer.from(path.replace(/^@/, '\0'))
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat([family, name, ...(name[0] === 0 ? [] : [Buffer.alloc(1)])])
}
