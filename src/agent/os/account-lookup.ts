/** What names and numbers are taken, asked of every source of nsswitch.conf through getent(1): files, systemd, LDAP, whatever is there. */
import { WcpError } from '../../contract/errors.ts'
import type { AccountLookup } from '../engine-api.ts'
import { exec } from './exec.ts'

const getent = '/usr/bin/getent'

export function createAccountLookup(): AccountLookup {
  return {
    userExists: (nameOrUid) => isKnown('passwd', nameOrUid),
    groupExists: (nameOrGid) => isKnown('group', nameOrGid),
  }
}

/** getent(1): 0 found, 2 not found. Anything else is no answer, and no answer is a refusal. */
async function isKnown(database: 'passwd' | 'group', key: string | number): Promise<boolean> {
  const { code } = await exec(getent, [database, '--', String(key)], { timeoutMs: 10_000 })
  if (code === 0) return true
  if (code === 2) return false
  throw new WcpError('machine_failed', `Cannot look up "${key}" in ${database}: getent ended with code ${code}`)
}
