/** What could not be done, in words for people. */
import type { FileFailure } from '../contract/file-wire.ts'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: FileFailure['code']

  constructor(code: FileFailure['code'], what: string) {
    super(`Cannot ${what}`)
    this.code = code
  }
}

export function refused(code: FileFailure['code'], what: string): Refusal {
  return new Refusal(code, what)
}

const words: Readonly<Record<string, readonly [FileFailure['code'], string]>> = {
  ENOENT: ['not_found', 'it is not there'],
  ENOTDIR: ['conflict', 'something on the way to it is no directory, or a link to one'],
  ELOOP: ['conflict', 'it is a link, and links are not followed'],
  EEXIST: ['conflict', 'something of that name is there already'],
  ENOTEMPTY: ['conflict', 'it is not empty'],
  EISDIR: ['conflict', 'it is a directory'],
  EACCES: ['forbidden', 'its permissions do not let you'],
  EPERM: ['forbidden', 'its permissions do not let you'],
  EROFS: ['forbidden', 'nothing can be changed there'],
  EDQUOT: ['too_large', 'the disk space of the customer is used up'],
  ENOSPC: ['too_large', 'the disk of the machine is full'],
  ENAMETOOLONG: ['bad_input', 'its name is too long'],
  ENXIO: ['conflict', 'it is no file'],
}

/** @param what is done to the path, such as `open` */
export function refusedByKernel(what: string, path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Refusal) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const [kind, why] = words[code] ?? ['unavailable', `of ${code === '' ? 'an unexpected error' : code}`]
    throw refused(kind, `${what} "${path.slice(0, 300)}": ${why}`)
  }
}
