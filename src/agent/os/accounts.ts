/** The system accounts that own what is not a tenant's, read from the machine's own account files. */
import { readFileSync } from 'node:fs'
import type { AccountLookup } from '../engine-api.ts'
import { exec } from './exec.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface SystemAccounts {
  readonly panel: Account
  readonly waker: Account
  /** Group of the web server's workers. */
  readonly webGid: number
}

export const accountNames = { panel: 'wcp360', waker: 'wcp360-waker', web: 'www-data' } as const

/** Throws one line naming the account that is missing; the installer makes them. */
export function systemAccounts(passwd = read('/etc/passwd'), group = read('/etc/group')): SystemAccounts {
  return {
    panel: account(passwd, accountNames.panel),
    waker: account(passwd, accountNames.waker),
    webGid: number(fields(group, accountNames.web)[2], accountNames.web),
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

/** Asks every source of nsswitch, so that no name or number of LDAP or of another program's records is taken. */
export const accountLookup: AccountLookup = {
  userExists: (nameOrUid) => isKnown('passwd', nameOrUid),
  groupExists: (nameOrGid) => isKnown('group', nameOrGid),
}

/** getent(1) ends with 2 when there is no such record; any other failure must not read as "free". */
async function isKnown(database: 'passwd' | 'group', key: string | number): Promise<boolean> {
  const { code } = await exec('/usr/bin/getent', [database, '--', String(key)])
  if (code !== 0 && code !== 2) throw new Error(`Cannot look "${key}" up in ${database}: getent ended with ${code}`)
  return code === 0
}
