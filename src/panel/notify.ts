/**
 * Tells systemd how the panel is (sd_notify(3)). Node cannot send datagrams to a unix socket, so three calls of libc are
 * made through node:ffi, which the executable already uses to load its addons; without NOTIFY_SOCKET nothing happens.
 */
import type { Logger } from 'pino'

const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_NOSIGNAL_DONTWAIT = 0x4000 | 0x40

export interface Notifier {
  /** Lines of sd_notify(3): `READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`. */
  notify(lines: string): void
  /** Pings until `stop`, as often as WATCHDOG_USEC asks; a blocked event loop misses them, and only the panel is restarted. */
  startWatchdog(): void
  stop(): void
}

export function systemdNotifier(env: NodeJS.ProcessEnv, log: Logger): Notifier {
  const send = env.NOTIFY_SOCKET ? datagramSender(env.NOTIFY_SOCKET, log) : () => {}
  const intervalMs = Number(env.WATCHDOG_USEC ?? 0) / 1000 / 3
  let timer: NodeJS.Timeout | undefined
  return {
    notify: send,
    startWatchdog() {
      if (intervalMs > 0) timer = setInterval(() => send('WATCHDOG=1'), intervalMs)
    },
    stop: () => clearInterval(timer),
  }
}

function datagramSender(path: string, log: Logger): (lines: string) => void {
  const libc = process.getBuiltinModule('node:ffi').dlopen(null, {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    sendto: { arguments: ['int32', 'buffer', 'uint64', 'int32', 'buffer', 'uint32'], return: 'int64' },
  }).functions
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
  const address = socketAddress(path)
  return (lines) => {
    const message = Buffer.from(lines)
    const sent = libc.sendto(fd, message, BigInt(message.length), MSG_NOSIGNAL_DONTWAIT, address, address.length)
    if (BigInt(sent) !== BigInt(message.length)) log.warn({ path }, 'systemd could not be notified')
  }
}

/** struct sockaddr_un; a leading `@` is the abstract namespace (unix(7)), whose name is as long as it is given. */
function socketAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@')
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`)
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat([family, name])
}
