/** The few calls of libc that Node does not offer and the daemon's life needs. */
import { getSystemErrorName, promisify } from 'node:util'
import { koffi } from '../../program/native-koffi.ts'

type Reentrant = (key: string | number, record: Buffer, text: Buffer, length: number, found: Buffer) => Promise<number>

export interface Libc {
  flock(fd: number, operation: number): number
  socket(domain: number, type: number, protocol: number): number
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number
  bind(fd: number, address: Buffer, length: number): number
  listen(fd: number, backlog: number): number
  ioctl(fd: number, request: number, argument: Buffer): number
  fcntl(fd: number, command: number, argument: number): number
  fallocate(fd: number, mode: number, offset: number, length: number): number
  mkfifo(path: string, mode: number): number
  /** quotactl_fd(2), which libc has no function for. */
  quotactlFd(fd: number, command: number, id: number, record: Buffer): number
  renameat2(from: number, fromPath: string, to: number, toPath: string, flags: number): number
  /** The four of getpwnam_r(3), on a thread: a source of nsswitch may be slow. The result is an errno. */
  readonly getpwnam_r: Reentrant
  readonly getpwuid_r: Reentrant
  readonly getgrnam_r: Reentrant
  readonly getgrgid_r: Reentrant
}

/** Of x86_64 and of every architecture since (syscalls(2)). */
const quotactlFd = 443

let bound: Libc | undefined

export function libc(): Libc {
  if (bound) return bound
  const library = koffi().load('libc.so.6')
  const reentrant = (name: string, key: string) => {
    const call = library.func(`int ${name}(${key}key, void *record, void *text, size_t length, void *found)`)
    return promisify(call.async) as Reentrant // koffi does not type what it makes of a text
  }
  const syscall = library.func('long syscall(long number, uint32_t fd, uint32_t command, uint32_t id, void *record)')
  bound = {
    flock: library.func('int flock(int fd, int operation)'),
    socket: library.func('int socket(int domain, int type, int protocol)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
    bind: library.func('int bind(int fd, const void *address, uint32_t length)'),
    listen: library.func('int listen(int fd, int backlog)'),
    // Both, and syscall, are variadic in C; on the platforms of ours integers and pointers are passed alike.
    ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)'),
    fcntl: library.func('int fcntl(int fd, int command, int argument)'),
    fallocate: library.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
    mkfifo: library.func('int mkfifo(const char *path, uint32_t mode)'),
    quotactlFd: (...given) => syscall(quotactlFd, ...given),
    renameat2: library.func('int renameat2(int from, const char *old, int to, const char *new, uint32_t flags)'),
    getpwnam_r: reentrant('getpwnam_r', 'const char *'),
    getpwuid_r: reentrant('getpwuid_r', 'uint32_t '),
    getgrnam_r: reentrant('getgrnam_r', 'const char *'),
    getgrgid_r: reentrant('getgrgid_r', 'uint32_t '),
  }
  return bound
}

/** Name of the last call's error, such as `EADDRINUSE`; ask at once. */
export function lastError(): string {
  return getSystemErrorName(-koffi().errno())
}
