import { closeSync, constants, fchmodSync, openSync } from 'node:fs'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants

/**
 * A log that nginx opens: there before nginx would make it readable for everybody, because it names what all customers'
 * visitors look at. The directory must be root's alone.
 */
export function ensureLogFile(path: string): void {
  const fd = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o640)
  fchmodSync(fd, 0o640)
  closeSync(fd)
}
