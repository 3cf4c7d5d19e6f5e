/** Registry of the slices: every operation of the product, and the stores they use. */
import { type AnyOperation, type Policy, verbOf } from '../contract/operation.ts'
import { type Texts, withKinds } from '../lib/texts.ts'
import type { Db } from '../store/database.ts'
import { apiKey } from './api-key/kind.ts'
import { apiKeyStore } from './api-key/store.ts'
import { audit } from './audit/kind.ts'
import { auditStore } from './audit/store.ts'
import { clientCertificate } from './client-certificate/kind.ts'
import { clientCertificateStore } from './client-certificate/store.ts'
import type { Context } from './context.ts'
import { domain } from './domain/kind.ts'
import { type ProofKeys, proofStore } from './domain/proof-store.ts'
import { domainStore } from './domain/store.ts'
import { health } from './health/kind.ts'
import { job } from './job/kind.ts'
import { jobStore } from './job/store.ts'
import type { AnyKind } from './kind.ts'
import { mail } from './mail/kind.ts'
import { mailStore } from './mail/store.ts'
import { packageKind } from './package/kind.ts'
import { packageStore } from './package/store.ts'
import { policy } from './policy/kind.ts'
import { policyStore } from './policy/store.ts'
import { reseller } from './reseller/kind.ts'
import { resellerStore } from './reseller/store.ts'
import { role } from './role/kind.ts'
import { roleStore } from './role/store.ts'
import { session } from './session/kind.ts'
import { sessionStore } from './session/store.ts'
import { settings } from './settings/kind.ts'
import { settingStore } from './settings/store.ts'
import type { StoreTools } from './store-tools.ts'
import { tenant } from './tenant/kind.ts'
import { tenantStore } from './tenant/store.ts'
import { totp } from './totp/kind.ts'
import { type TotpKeys, totpStore } from './totp/store.ts'
import { user } from './user/kind.ts'
import { linkStore } from './user/link-store.ts'
import { userStore } from './user/store.ts'
import { webhook } from './webhook/kind.ts'
import { jobEvents } from './webhook/schema.ts'
import { webhookStore } from './webhook/store.ts'

/** In the order in which people meet them; the menu keeps it. */
export const kinds: readonly AnyKind[] = [
  tenant,
  domain,
  packageKind,
  user,
  role,
  reseller,
  session,
  apiKey,
  totp,
  clientCertificate,
  policy,
  mail,
  webhook,
  job,
  audit,
  settings,
  health,
]

/** Every word of the pages, in English. */
export const english: Texts = withKinds(kinds)

/** What people do with a thing, in the order of its life; verbs of one kind's own come last, by name. */
const verbOrder = ['list', 'get', 'create', 'update', 'suspend', 'unsuspend', 'delete', 'restore']

/** A module's exports come in the order of their names, which is nobody's order (ECMA-262, module namespace objects). */
export const operations: readonly AnyOperation<Context>[] = kinds.flatMap((kind) =>
  Object.values(kind.operations).toSorted((a, b) => place(a) - place(b) || a.name.localeCompare(b.name)),
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
