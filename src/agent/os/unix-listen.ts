/**
 * Listening unix sockets as plain descriptors for a child, which Node's own servers cannot give away, and the question
 * whether a PHP-FPM master serves behind one.
 */
import { chmodSync, closeSync, lchownSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { WcpError } from '../../contract/errors.ts'
import { lastError, libc } from './libc.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
/** `sun_path` of unix(7) without its final NUL. */
export const longestSocketPath = 107
const backlog = 511

/**
 * A listening socket at `path`, `0760 root:<gid>`, in place of whatever was there. The kernel asks for the w bit only; the x
 * bit is what nginx's `-x` can see (its `-e` knows files, directories and links). The directory must be root's alone.
 * The descriptor is the caller's to close.
 */
export function listenUnix(path: string, gid: number): number {
  return bound(path, SOCK_STREAM, (fd) => {
    lchownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, 0o760)
    if (libc().listen(fd, backlog) !== 0) throw cannotListen(path, lastError())
  })
}

/**
 * A socket at `path` to which the group may send datagrams, `0620 root:<gid>`. What is sent while nobody reads waits, and is
 * refused when the queue is full; nothing of it is read here. The descriptor is the caller's to hand on.
 */
export function bindDatagrams(path: string, gid: number): number {
  return bound(path, SOCK_DGRAM, () => {
    lchownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, 0o620)
  })
}

const queueLength = '/proc/sys/net/unix/max_dgram_qlen'

/** Datagrams that wait at a socket made after this: Linux has 10, systemd makes it as many as this at boot. */
export function lengthenDatagramQueues(length = 512): void {
  try {
    if (Number(readFileSync(queueLength, 'utf8')) < length) writeFileSync(queueLength, String(length))
  } catch {
    // a container may not: more is dropped while the reader is busy
  }
}

function bound(path: string, type: number, finish: (fd: number) => void): number {
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new WcpError('machine_failed', `Cannot listen on "${path}": longer than ${longestSocketPath} bytes`)
  }
  rmSync(path, { force: true })
  const fd = libc().socket(AF_UNIX, type | SOCK_CLOEXEC, 0)
  if (fd < 0) throw cannotListen(path, lastError())
  try {
    bindPrivately(fd, path)
    finish(fd)
    return fd
  } catch (cause) {
    closeSync(fd)
    rmSync(path, { force: true })
    throw cause instanceof WcpError ? cause : cannotListen(path, cause)
  }
}

/** Nobody else can connect until the owner and the mode are set. */
function bindPrivately(fd: number, path: string): void {
  const address = Buffer.alloc(2 + Buffer.byteLength(path) + 1)
  address.writeUInt16LE(AF_UNIX)
  address.write(path, 2)
  const umask = process.umask(0o177)
  const isBound = libc().bind(fd, address, address.length) === 0
  const problem = isBound ? '' : lastError()
  process.umask(umask)
  if (!isBound) throw cannotListen(path, problem)
}

function cannotListen(path: string, cause: unknown): WcpError {
  return new WcpError('machine_failed', `Cannot listen on "${path}"`, { cause })
}

/** The socket appears, or goes, in one step; connections that wait in it stay. */
export function moveSocket(from: string, to: string): void {
  renameSync(from, to)
}

export function removeSocket(path: string): void {
  rmSync(path, { force: true })
}

/**
 * Asks the FastCGI server behind `path` a management question and waits for its answer: `true` when it serves, `false`
 * when the connect was refused, the connection was closed without an answer, or the time was up.
 *
 * Accepted connections are first come, first served, so an answer also means that all earlier ones have been accepted.
 */
export function answersFastCgi(path: string, timeoutMs: number): Promise<boolean> {
  // FCGI_GET_VALUES (9) of FastCGI 1.0, without names.
  const question = Buffer.from([1, 9, 0, 0, 0, 0, 0, 0])
  return new Promise((resolve) => {
    const socket = createConnection({ path })
    const finish = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    socket.once('connect', () => socket.write(question))
    socket.once('data', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}
