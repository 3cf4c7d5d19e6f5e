/** The system accounts that own what is not a tenant's, read from the machine's own account files. */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { WcpError } from '../../contract/errors.ts'
import { type Libc, libc } from './libc.ts'

/** Names and numbers that accounts on this machine have already, asked of every source of nsswitch. */
export interface AccountLookup {
  userExists(nameOrUid: string | number): Promise<boolean>
  groupExists(nameOrGid: string | number): Promise<boolean>
}

export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface SystemAccounts {
  readonly panel: Account
  readonly waker: Account
  /** Writes the web server's logs. */
  readonly log: Account
  /** Group to which sites' files are readable: the web server's workers are in it, and others may be. */
  readonly webGid: number
  /** Group of the web server's workers alone: TLS keys, PHP's sockets. */
  readonly workers: { readonly name: string; readonly gid: number }
}

export const accountNames = {
  panel: 'wcp360',
  waker: 'wcp360-waker',
  log: 'wcp360-log',
  web: 'www-data',
  workers: 'wcp360-web',
} as const

/** Throws one line naming the account that is missing; the installer makes them. */
export function systemAccounts(passwd = read('/etc/passwd'), group = read('/etc/group')): SystemAccounts {
  return {
    panel: account(passwd, accountNames.panel),
    waker: account(passwd, accountNames.waker),
    log: account(passwd, accountNames.log),
    webGid: number(fields(group, accountNames.web)[2], accountNames.web),
    workers: { name: accountNames.workers, gid: number(fields(group, accountNames.workers)[2], accountNames.workers) },
  }
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

function account(passwd: string, name: string): Account {
  const [, , uid, gid] = fields(passwd, name)
  const found = { uid: number(uid, name), gid: number(gid, name) }
  if (found.uid === 0 || found.gid === 0) throw new Error(`Cannot use account "${name}": it has root's ids`)
  return found
}

function fields(text: string, name: string): string[] {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}:`))
  if (line === undefined) throw new Error(`Cannot find account "${name}": run the installer again`)
  return line.split(':')
}

function number(text: string | undefined, name: string): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`Cannot read account "${name}": no numeric id`)
  return Number(text)
}

/**
 * Asks every source of nsswitch, so that no name or number of LDAP or of another program's records is taken. In this
 * process, as every daemon does it: each start of getent(1) costs more than all the rest of a tenant's creation.
 */
export const accountLookup: AccountLookup = {
  async userExists(nameOrUid) {
    const { getpwnam_r, getpwuid_r } = libc()
    return typeof nameOrUid === 'string' ? isKnown(getpwnam_r, nameOrUid) : isKnown(getpwuid_r, nameOrUid)
  },
  async groupExists(nameOrGid) {
    const { getgrnam_r, getgrgid_r } = libc()
    return typeof nameOrGid === 'string' ? isKnown(getgrnam_r, nameOrGid) : isKnown(getgrgid_r, nameOrGid)
  },
}

/** More than struct passwd and struct group have. */
const recordBytes = 128
const pointerBytes = 8
const mostTextBytes = 64 * 1024 * 1024
/** How sources say that they have no such record, besides leaving the pointer null (getpwnam(3)). */
const notFound: readonly number[] = [constants.errno.ENOENT, constants.errno.ESRCH]

async function isKnown(ask: Libc['getpwnam_r'], key: string | number, textBytes = 4096): Promise<boolean> {
  // held together until the thread has ended: it writes into them, and nothing else keeps them from being collected
  const call = { record: Buffer.alloc(recordBytes), text: Buffer.alloc(textBytes), found: Buffer.alloc(pointerBytes) }
  const errno = await ask(key, call.record, call.text, textBytes, call.found)
  if (errno === 0) return call.found.readBigUInt64LE() !== 0n
  if (notFound.includes(errno)) return false
  // a group of many members
  if (errno === constants.errno.ERANGE && textBytes < mostTextBytes) return isKnown(ask, key, textBytes * 4)
  throw new WcpError(
    'machine_failed',
    `Cannot look "${key}" up among the accounts of this machine: ${getSystemErrorName(-errno)}`,
    { help: 'See that "getent passwd" and "getent group" answer, then send the request again.' },
  )
}
