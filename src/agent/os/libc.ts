/** The few calls of libc that Node does not offer and the daemon's life needs. */
import { getSystemErrorName } from 'node:util'
import { koffi } from '../../lib/native-koffi.ts'

interface Libc {
  flock(fd: number, operation: number): number
  socket(domain: number, type: number, protocol: number): number
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number
  bind(fd: number, address: Buffer, length: number): number
  listen(fd: number, backlog: number): number
}

let bound: Libc | undefined

export function libc(): Libc {
  if (bound) return bound
  const library = koffi().load('libc.so.6')
  bound = {
    flock: library.func('int flock(int fd, int operation)'),
    socket: library.func('int socket(int domain, int type, int protocol)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
    bind: library.func('int bind(int fd, const void *address, uint32_t length)'),
    listen: library.func('int listen(int fd, int backlog)'),
  }
  return bound
}

/** Name of the last call's error, such as `EADDRINUSE`; ask at once. */
export function lastError(): string {
  return getSystemErrorName(-koffi().errno())
}
