/** Registry of the slices: every operation of the product, and the stores they use. */
import { type AnyOperation, kindOf, type Policy, verbOf } from '../contract/operation.ts'
import { type Texts, withKinds } from '../lib/texts.ts'
import type { Db } from '../store/database.ts'
import { coreMigrations } from '../store/migrations/index.ts'
import type { Migration } from '../store/migrations/migration.ts'
import { apiKey } from './api-key/kind.ts'
import { app } from './app/kind.ts'
import { audit } from './audit/kind.ts'
import { certificate } from './certificate/kind.ts'
import { clientCertificate } from './client-certificate/kind.ts'
import { condition } from './condition/kind.ts'
import { conditionEvents } from './condition/schema.ts'
import type { ConditionSource } from './condition-source.ts'
import type { Context } from './context.ts'
import { cron } from './cron/kind.ts'
import { database } from './database/kind.ts'
import { databaseUser } from './database-user/kind.ts'
import { display } from './display/kind.ts'
import { dnsKey } from './dns-key/kind.ts'
import { domain } from './domain/kind.ts'
import { file } from './file/kind.ts'
import { health } from './health/kind.ts'
import { holdStore } from './hold/store.ts'
import { job } from './job/kind.ts'
import type { JobRow } from './job-row.ts'
import type { AnyKind } from './kind.ts'
import { mail } from './mail/kind.ts'
import { packageKind } from './package/kind.ts'
import { policy } from './policy/kind.ts'
import { probe } from './probe/kind.ts'
import { reseller } from './reseller/kind.ts'
import { role } from './role/kind.ts'
import { session } from './session/kind.ts'
import { settings } from './settings/kind.ts'
import { sshKey } from './ssh-key/kind.ts'
import { sshSession } from './ssh-session/kind.ts'
import { type StoreMaterial, type Stores, storesMaker } from './stores.ts'
import { tenant } from './tenant/kind.ts'
import { totp } from './totp/kind.ts'
import { user } from './user/kind.ts'
import { webhook } from './webhook/kind.ts'
import { jobEvents } from './webhook/schema.ts'

/** In the order in which people meet them; the menu keeps it. */
export const kinds: readonly AnyKind[] = [
  tenant,
  domain,
  certificate,
  database,
  databaseUser,
  app,
  cron,
  file,
  probe,
  sshKey,
  sshSession,
  dnsKey,
  packageKind,
  user,
  role,
  reseller,
  display,
  session,
  apiKey,
  totp,
  clientCertificate,
  policy,
  mail,
  webhook,
  condition,
  job,
  audit,
  settings,
  health,
]

/** Every migration of the store, in order. */
export const migrations: readonly Migration[] = [
  ...coreMigrations,
  ...kinds.flatMap((kind) => kind.migrations ?? []),
].toSorted((a, b) => a.number - b.number)

/** The schema of this version. */
export const ownSchema = migrations.at(-1)?.number ?? 0

/** Every word of the pages, in English. */
export const english: Texts = withKinds(kinds)

/** Verbs in the order of a thing's life; verbs of one kind's own come last, by name. */
const verbOrder = ['list', 'get', 'create', 'update', 'suspend', 'unsuspend', 'delete', 'restore']

/** A module's exports come in the order of their names, which is nobody's order (ECMA-262, module namespace objects). */
export const operations: readonly AnyOperation<Context>[] = kinds.flatMap((kind) =>
  Object.values(kind.operations).toSorted((a, b) => place(a) - place(b) || a.name.localeCompare(b.name)),
)

/** Of every operation by name. */
export const policies: ReadonlyMap<string, Policy> = new Map(operations.map(({ name, policy }) => [name, policy]))

/** Of what needs attention, in the order in which they look. */
export const conditionSources: readonly ConditionSource[] = kinds.flatMap(({ conditions }) => conditions ?? [])

/** The events for webhooks: ends of jobs, conditions, and changes that were accepted. */
export function eventsOf(registry: readonly AnyOperation<Context>[]): readonly string[] {
  return [
    ...jobEvents,
    ...conditionEvents,
    ...registry.flatMap(({ name, effect }) => (effect === 'read' ? [] : [name])),
  ]
}

function place(operation: AnyOperation<Context>): number {
  const index = verbOrder.indexOf(verbOf(operation))
  return index === -1 ? verbOrder.length : index
}

/** Rows that jobs are about, by kind. */
const rows: ReadonlyMap<string, JobRow> = new Map(
  kinds.flatMap(({ name, row }) => (row === undefined ? [] : [[name, row] as const])),
)

/** What the kind of an operation says for its verb. */
export function exampleInput(operation: Pick<AnyOperation, 'name'>): Readonly<Record<string, unknown>> {
  return kinds.find(({ name }) => name === kindOf(operation))?.examples?.[verbOf(operation)] ?? {}
}

/** Holds are of several kinds. */
const makeStores = storesMaker(Object.assign({ holds: holdStore }, ...kinds.map(({ stores }) => stores)))

/** The stores over one database or one open transaction of it, at one moment: make them anew for each call. */
export function storesFor(db: Db, given: Omit<StoreMaterial, 'rows' | 'over'>): Stores {
  const material: StoreMaterial = { ...given, rows, over: (tx) => makeStores(tx, material) }
  return makeStores(db, material)
}
