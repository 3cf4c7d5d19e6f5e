import { readdirSync } from 'node:fs'
import { libc } from './libc.ts'

const F_SETFD = 2
const FD_CLOEXEC = 1

/** Descriptors that the agent inherited stay with it: Node would pass them on to every child. */
export function keepDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) if (fd > 2) libc().fcntl(fd, F_SETFD, FD_CLOEXEC)
}
