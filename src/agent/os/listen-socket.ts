/**
 * The panel's port as a bare descriptor. It is never wrapped in a Node server: the agent would accept connections itself.
 * While the panel restarts, people's connections wait in the backlog.
 */
import type { ListenAddress } from '../../lib/config.ts'
import { lastError, libc } from './libc.ts'

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const backlog = 511

/** The descriptor stays open for the life of the process. */
export function openListenSocket(address: ListenAddress): number {
  const six = address.host.includes(':')
  const fd = libc().socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) fail(address)
  option(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  if (six) option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
  const name = six ? address6(address) : address4(address)
  if (libc().bind(fd, name, name.length) !== 0) fail(address)
  if (libc().listen(fd, backlog) !== 0) fail(address)
  return fd
}

function fail(address: ListenAddress): never {
  throw new Error(`Cannot listen on "${address.host}" port ${address.port}: ${lastError()}`)
}

function option(fd: number, level: number, name: number, value: number): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  libc().setsockopt(fd, level, name, bytes, bytes.length)
}

/** struct sockaddr_in. */
function address4({ host, port }: ListenAddress): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16LE(AF_INET, 0)
  bytes.writeUInt16BE(port, 2)
  for (const [index, part] of host.split('.').entries()) bytes[4 + index] = Number(part)
  return bytes
}

/** struct sockaddr_in6. */
function address6({ host, port }: ListenAddress): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.writeUInt16LE(AF_INET6, 0)
  bytes.writeUInt16BE(port, 2)
  for (const [index, group] of groups6(host).entries()) bytes.writeUInt16BE(group, 8 + index * 2)
  return bytes
}

/** `::1` → eight numbers; WHATWG URLs have brought it to hexadecimal groups with at most one `::`. */
function groups6(host: string): number[] {
  const canonical = new URL(`http://[${host}]/`).hostname.slice(1, -1)
  const [left = '', right] = canonical.split('::')
  const numbers = (text: string) =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const tail = right === undefined ? [] : numbers(right)
  const head = numbers(left)
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}
