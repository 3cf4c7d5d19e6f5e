/** Registry of the slices: every operation of the product, and the stores they use. */
import { type AnyOperation, type Policy, verbOf } from '../contract/operation.ts'
import type { Db } from '../store/database.ts'
import * as apiKey from './api-key/operations.ts'
import { apiKeyStore } from './api-key/store.ts'
import * as audit from './audit/operations.ts'
import { auditStore } from './audit/store.ts'
import * as clientCertificate from './client-certificate/operations.ts'
import { clientCertificateStore } from './client-certificate/store.ts'
import type { Context } from './context.ts'
import * as domain from './domain/operations.ts'
import { type ProofKeys, proofStore } from './domain/proof-store.ts'
import { domainStore } from './domain/store.ts'
import * as health from './health/operations.ts'
import * as job from './job/operations.ts'
import { jobStore } from './job/store.ts'
import * as mail from './mail/operations.ts'
import { mailStore } from './mail/store.ts'
import * as packages from './package/operations.ts'
import { packageStore } from './package/store.ts'
import * as policy from './policy/operations.ts'
import { policyStore } from './policy/store.ts'
import * as reseller from './reseller/operations.ts'
import { resellerStore } from './reseller/store.ts'
import * as role from './role/operations.ts'
import { roleStore } from './role/store.ts'
import * as session from './session/operations.ts'
import { sessionStore } from './session/store.ts'
import * as settings from './settings/operations.ts'
import { settingStore } from './settings/store.ts'
import type { StoreTools } from './store-tools.ts'
import * as tenant from './tenant/operations.ts'
import { tenantStore } from './tenant/store.ts'
import * as totp from './totp/operations.ts'
import { type TotpKeys, totpStore } from './totp/store.ts'
import * as userLinks from './user/link-operations.ts'
import { linkStore } from './user/link-store.ts'
import * as user from './user/operations.ts'
import { userStore } from './user/store.ts'
import * as webhook from './webhook/operations.ts'
import { jobEvents } from './webhook/schema.ts'
import { webhookStore } from './webhook/store.ts'

/** Kind → its operations, in the order in which people meet them. */
export const slices = {
  tenant,
  domain,
  package: packages,
  user: { ...user, ...userLinks },
  role,
  reseller,
  session,
  'api-key': apiKey,
  totp,
  'client-certificate': clientCertificate,
  policy,
  mail,
  webhook,
  job,
  audit,
  settings,
  health,
} as const satisfies Record<string, Record<string, AnyOperation<Context>>>

export type Kind = keyof typeof slices

/** What people do with a thing, in the order of its life; verbs of one kind's own come last, by name. */
const verbOrder = ['list', 'get', 'create', 'update', 'suspend', 'unsuspend', 'delete', 'restore']

/** A module's exports come in the order of their names, which is nobody's order (ECMA-262, module namespace objects). */
export const operations: readonly AnyOperation<Context>[] = Object.values(slices).flatMap((slice) =>
  Object.values<AnyOperation<Context>>(slice).toSorted((a, b) => place(a) - place(b) || a.name.localeCompare(b.name)),
)

/** Of every operation by name. */
export const policies: ReadonlyMap<string, Policy> = new Map(operations.map(({ name, policy }) => [name, policy]))

/** What webhooks can be told: ends of jobs, and changes that were accepted. */
export function eventsOf(registry: readonly AnyOperation<Context>[]): readonly string[] {
  return [...jobEvents, ...registry.flatMap(({ name, effect }) => (effect === 'read' ? [] : [name]))]
}

function place(operation: AnyOperation<Context>): number {
  const index = verbOrder.indexOf(verbOf(operation))
  return index === -1 ? verbOrder.length : index
}

export interface StoreKeys extends TotpKeys, ProofKeys {
  readonly audit: Uint8Array
}

export type Stores = Pick<
  Context,
  | 'packages'
  | 'tenants'
  | 'domains'
  | 'proofs'
  | 'users'
  | 'roles'
  | 'resellers'
  | 'sessions'
  | 'apiKeys'
  | 'totp'
  | 'clientCertificates'
  | 'loginPolicies'
  | 'links'
  | 'mails'
  | 'webhooks'
  | 'settings'
  | 'audit'
  | 'jobs'
>

/**
 * The stores over one database or one open transaction of it, at one moment: make them anew for each call.
 * @param tools.keys the panel's secrets, the same for the life of the installation; `audit` chains the audit entries
 * @param tools.appended called after an entry was appended, before the transaction ends
 */
export function storesFor(
  db: Db,
  tools: StoreTools & { readonly keys: StoreKeys; readonly appended?: () => void },
): Stores {
  return {
    packages: packageStore(db, tools),
    tenants: tenantStore(db, tools),
    domains: domainStore(db, tools),
    proofs: proofStore(db, tools, tools.keys),
    users: userStore(db, tools),
    roles: roleStore(db, tools),
    resellers: resellerStore(db, tools),
    sessions: sessionStore(db, tools),
    apiKeys: apiKeyStore(db, tools, tools.keys),
    totp: totpStore(db, tools, tools.keys),
    clientCertificates: clientCertificateStore(db, tools),
    loginPolicies: policyStore(db, tools),
    links: linkStore(db, tools),
    mails: mailStore(db, tools),
    webhooks: webhookStore(db, tools, tools.keys.seal),
    settings: settingStore(db, tools),
    audit: auditStore(db, tools.keys.audit, tools.appended),
    jobs: jobStore(db, tools, (tx, event) => webhookStore(tx, tools, tools.keys.seal).emit(event)),
  }
}
