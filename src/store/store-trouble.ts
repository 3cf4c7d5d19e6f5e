/** Faults of the store itself as errors of the table: nobody's mistake, and nothing was changed. */
import { WcpError } from '../contract/errors.ts'

interface Trouble {
  readonly isIt: (code: string) => boolean
  readonly message: string
  readonly help: string
  readonly retryAfterSeconds: number
}

const starts =
  (...words: readonly string[]) =>
  (code: string) =>
    words.some((word) => code.startsWith(word))

const troubles: readonly Trouble[] = [
  {
    isIt: starts('SQLITE_FULL', '53100'),
    message: 'Cannot write to the store: its disk is full',
    help: 'Make room on the disk that holds the store; what is stored can be read meanwhile.',
    retryAfterSeconds: 60,
  },
  {
    isIt: starts('SQLITE_READONLY', '25006'),
    message: 'Cannot write to the store: it is read-only',
    help: 'Make the store and its directory writable for the panel again; what is stored can be read meanwhile.',
    retryAfterSeconds: 60,
  },
  {
    isIt: starts('SQLITE_IOERR', 'SQLITE_CANTOPEN'),
    message: 'Cannot use the store: its disk fails',
    help: 'Look into the log of the kernel for the disk; what was not confirmed is not stored.',
    retryAfterSeconds: 60,
  },
  {
    isIt: starts('SQLITE_CORRUPT', 'SQLITE_NOTADB'),
    message: 'Cannot use the store: it is damaged',
    help: 'Stop the panel and bring back a backup of the store; sites keep being served.',
    retryAfterSeconds: 3600,
  },
]

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** PostgreSQL: lock_timeout (55P03), deadlock (40P01), starting or stopping (57P03), too many connections (53300). */
const busyPostgres = ['55P03', '40P01', 'ECONNREFUSED', '57P03', '53300']

/** Others have it at this moment: the same will work later. */
export function isBusyStore(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('SQLITE_BUSY') || busyPostgres.includes(code)
}

/** undefined for whatever is not the store's trouble. */
export function storeTrouble(cause: unknown): WcpError | undefined {
  if (isBusyStore(cause))
    return new WcpError('unavailable', 'Cannot use the store now: it is busy', {
      cause,
      details: { retryAfterSeconds: 5 },
    })
  const trouble = troubles.find(({ isIt }) => isIt(codeOf(cause)))
  if (trouble === undefined) return undefined
  const { message, help, retryAfterSeconds } = trouble
  return new WcpError('unavailable', message, { cause, help, details: { retryAfterSeconds } })
}
