/** The attribute that `chattr +a` gives: a file that can only grow, also for root, until the attribute is taken away. */
import { closeSync, constants, openSync } from 'node:fs'
import { errorCode } from './error-code.ts'
import { lastError, libc } from './libc.ts'

/** linux/fs.h. The numbers name a long, the kernel reads and writes an int (ioctl_iflags(2), "Bugs"). */
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_APPEND_FL = 0x20

/** @returns why it could not be done, such as `EOPNOTSUPP` where the file system has no such attribute; undefined when it holds. */
export function setAppendOnly(path: string, isWanted: boolean): string | undefined {
  return onFile(path, (fd) => {
    const present = flagsOf(fd)
    if (typeof present === 'string') return present
    const wanted = isWanted ? present | FS_APPEND_FL : present & ~FS_APPEND_FL
    if (wanted === present) return undefined
    const flags = Buffer.alloc(8)
    flags.writeInt32LE(wanted)
    return libc().ioctl(fd, FS_IOC_SETFLAGS, flags) === 0 ? undefined : lastError()
  })
}

export function isAppendOnly(path: string): boolean {
  const flags = onFile(path, flagsOf)
  return typeof flags === 'number' && (flags & FS_APPEND_FL) !== 0
}

const FALLOC_FL_KEEP_SIZE = 1

/** Blocks behind the end of a file, which its size does not show; also an append-only file may have them (fallocate(2)). */
export function reserveBehind(fd: number, size: number, bytes: number): void {
  libc().fallocate(fd, FALLOC_FL_KEEP_SIZE, size, bytes) // where it cannot be had, a full disk is full
}

/** The flags, or the name of the error. */
function flagsOf(fd: number): number | string {
  const flags = Buffer.alloc(8)
  return libc().ioctl(fd, FS_IOC_GETFLAGS, flags) === 0 ? flags.readInt32LE() : lastError()
}

function onFile<T>(path: string, work: (fd: number) => T): T | string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return work(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return errorCode(error) ?? String(error)
  }
}
