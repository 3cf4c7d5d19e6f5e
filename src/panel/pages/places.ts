/** Where each kind lives on the pages. */
import { type AnyOperation, kindOf, verbOf } from '../../contract/operation.ts'
import { path } from './safe-url.ts'

const lists = new Map([
  ['tenant', '/tenants'],
  ['domain', '/domains'],
  ['package', '/packages'],
  ['user', '/users'],
  ['role', '/roles'],
  ['reseller', '/resellers'],
  ['job', '/jobs'],
  ['audit', '/audit'],
  ['settings', '/settings'],
  ['policy', '/settings'],
  ['mail', '/mails'],
  ['webhook', '/webhooks'],
  ['session', '/account'],
  ['api-key', '/api-keys'],
  ['totp', '/account/second-factor'],
  ['client-certificate', '/account/certificates'],
])

/** Kinds whose list is their only page. */
const withoutDetail = new Set(['settings', 'policy', 'mail', 'audit', 'session', 'totp', 'client-certificate'])

export function listPath(kind: string): string {
  return lists.get(kind) ?? '/'
}

export function detailPath(kind: string, ref: string): string {
  return withoutDetail.has(kind) ? listPath(kind) : `${listPath(kind)}${path`/${ref}`}`
}

/** The page to return to from a form about `ref`, or about none yet. */
export function homeOf(operation: Pick<AnyOperation, 'name'>, ref: string | undefined): string {
  const kind = kindOf(operation)
  return ref === undefined || ref === '' ? listPath(kind) : detailPath(kind, ref)
}

/** Takes something away: its button is red. */
export function isDestructive(operation: Pick<AnyOperation, 'name'>): boolean {
  return ['delete', 'purge'].includes(verbOf(operation))
}
