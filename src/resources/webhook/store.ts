/** Webhooks and their outbox in the panel's database. */
import { randomBytes } from 'node:crypto'
import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { openText, sealText } from '../../lib/sealed-text.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson, storable } from '../../store/json.ts'
import type { WebhookDeliveryTable, WebhookTable } from '../../store/tables/work.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, newestFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { isId, type StoreTools, stored } from '../store-tools.ts'
import { type Delivery, Try, type Webhook } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly webhooks: WebhookStore
  }
}

export interface WebhookEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A delivery whose time has come, with all that sending it takes. */
export interface DueDelivery {
  readonly id: Id
  readonly webhook: Id
  readonly url: string
  readonly secret: Buffer
  readonly body: string
  readonly attempts: number
  readonly failingSince: string | null
}

export interface WebhookStore {
  list(query: Pick<ListQuery, 'cursor' | 'limit' | 'deleted'>): Promise<Page<Webhook>>
  find(ref: string, options?: { deleted: boolean }): Promise<Webhook | undefined>
  get(ref: string, options?: { deleted: boolean }): Promise<Webhook>
  /** Living ones. */
  count(): Promise<number>
  /** @returns the secret, `whsec_…`, which is never to be seen again */
  insert(id: Id, values: Pick<Webhook, 'name' | 'url' | 'events'>): Promise<string>
  /** Switched on again it begins anew: nothing is held against it. */
  update(id: Id, values: { [K in 'name' | 'url' | 'events' | 'isActive']?: Webhook[K] | undefined }): Promise<void>
  /** Into the trash; what waited to be sent is gone, and its name is free. */
  remove(one: Pick<Webhook, 'id' | 'name'>): Promise<void>
  restore(one: Pick<Webhook, 'id' | 'name'>): Promise<void>
  purgeDeletedBefore(moment: string): Promise<number>
  /** In the transaction of what happened: one delivery for each webhook that wants it. */
  emit(event: WebhookEvent): Promise<void>
  /** To one webhook, whatever it wants. */
  queue(webhook: Id, event: WebhookEvent): Promise<Id>
  deliveries(
    query: Pick<ListQuery, 'cursor' | 'limit'> & { webhook: Id; state?: string | undefined },
  ): Promise<Page<Delivery>>
  /** Sends it again at once; `not_found` while it is queued. */
  redeliver(webhook: Id, delivery: Id): Promise<void>
  /** The oldest few of each webhook that is on. */
  due(webhooks: number, ofEach: number): Promise<DueDelivery[]>
  delivered(delivery: DueDelivery, attempt: Try): Promise<void>
  /** @param nextTryAt null: given up */
  refused(delivery: DueDelivery, attempt: Try, nextTryAt: string | null): Promise<void>
  switchOff(id: Id, reason: string): Promise<void>
  purgeEndedBefore(moment: string): Promise<void>
}

const keptTries = 12
const tries = z.array(Try)
const patterns = z.array(z.string())
const secretBytes = 32

export function webhookStore(db: Db, { now, newId }: StoreTools, seal: Uint8Array): WebhookStore {
  const placeOf = (row: string) => ({ table: 'webhooks', row, column: 'secret' })

  async function queue(webhook: string, { type, data }: WebhookEvent): Promise<Id> {
    const id = newId()
    await db
      .insertInto('webhook_deliveries')
      .values({
        id,
        created_at: now,
        updated_at: now,
        webhook_id: webhook,
        event: type,
        body: encodeJson({ type, timestamp: now, data }),
        state: 'queued',
        attempts: 0,
        tries: encodeJson([]),
        next_try_at: now,
      })
      .execute()
    return id
  }

  /** Counts a try. */
  async function tried({ id }: DueDelivery, attempt: Try, state: string, nextTryAt: string | null): Promise<void> {
    const row = await db.selectFrom('webhook_deliveries').select('tries').where('id', '=', id).executeTakeFirst()
    if (row === undefined) return // removed with its webhook meanwhile
    const all = [...tries.parse(decodeJson(row.tries)), attempt].slice(-keptTries)
    await db
      .updateTable('webhook_deliveries')
      .set((eb) => ({
        state,
        next_try_at: nextTryAt,
        updated_at: now,
        attempts: eb('attempts', '+', 1),
        tries: encodeJson(all.map((one) => ({ ...one, problem: one.problem && storable(one.problem).slice(0, 300) }))),
      }))
      .where('id', '=', id)
      .execute()
  }

  const setFailing = (id: Id, since: string | null) =>
    db.updateTable('webhooks').set({ failing_since: since }).where('id', '=', id).execute()

  const store: WebhookStore = {
    async list({ cursor, limit, deleted = false }) {
      const query = db
        .selectFrom('webhooks')
        .selectAll()
        .where('deleted_at', deleted ? 'is not' : 'is', null)
      return readPage(query, { cursor, limit }, alphabetical('webhooks', 'name'), (rows) => rows.map(webhookOf))
    },

    async find(ref, { deleted } = { deleted: false }) {
      const row = await db
        .selectFrom('webhooks')
        .selectAll()
        .where(isId(ref) ? 'id' : deleted ? 'trashed_name' : 'name', '=', ref)
        .where('deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && webhookOf(row)
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('webhook', ref)
    },

    async count() {
      const { count } = await db
        .selectFrom('webhooks')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return count
    },

    async insert(id, { name, url, events }) {
      const secret = randomBytes(secretBytes)
      await db
        .insertInto('webhooks')
        .values({
          id,
          created_at: now,
          updated_at: now,
          name,
          url,
          secret: sealText(seal, placeOf(id), secret),
          events: encodeJson(events),
          is_active: 1,
        })
        .execute()
      return `whsec_${secret.toString('base64')}`
    },

    async update(id, { name, url, events, isActive }) {
      await db
        .updateTable('webhooks')
        .set({
          updated_at: now,
          ...(name !== undefined && { name }),
          ...(url !== undefined && { url }),
          ...(events !== undefined && { events: encodeJson(events) }),
          ...(isActive !== undefined && { is_active: isActive ? 1 : 0, disabled_reason: null, failing_since: null }),
        })
        .where('id', '=', id)
        .execute()
    },

    async remove({ id, name }) {
      const waiting = db.deleteFrom('webhook_deliveries').where('webhook_id', '=', id)
      await waiting.where('state', '=', 'queued').execute()
      // No two rows have one name: in the trash it is the id.
      const change = { name: id, trashed_name: name, deleted_at: now, updated_at: now }
      await db.updateTable('webhooks').set(change).where('id', '=', id).execute()
    },

    async restore({ id, name }) {
      const change = { name, trashed_name: null, deleted_at: null, updated_at: now }
      await db.updateTable('webhooks').set(change).where('id', '=', id).execute()
    },

    async purgeDeletedBefore(moment) {
      const result = await db.deleteFrom('webhooks').where('deleted_at', '<', moment).executeTakeFirst()
      return Number(result.numDeletedRows)
    },

    async emit(event) {
      const living = db.selectFrom('webhooks').select(['id', 'events']).where('deleted_at', 'is', null)
      const active = await living.where('is_active', '=', 1).execute()
      for (const { id, events } of active)
        if (patterns.parse(decodeJson(events)).some((pattern) => matches(pattern, event.type))) await queue(id, event)
    },

    queue,

    async deliveries({ webhook, cursor, limit, state }) {
      let query = db.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', webhook)
      if (state !== undefined) query = query.where('state', '=', state)
      return readPage(query, { cursor, limit }, newestFirst('webhook_deliveries'), (rows) => rows.map(deliveryOf))
    },

    async redeliver(webhook, delivery) {
      const changed = await db
        .updateTable('webhook_deliveries')
        .set({ state: 'queued', attempts: 0, next_try_at: now, updated_at: now })
        .where('id', '=', delivery)
        .where('webhook_id', '=', webhook)
        .where('state', '!=', 'queued')
        .executeTakeFirst()
      if (changed.numUpdatedRows === 0n) notFound('a delivery that has ended', delivery)
    },

    async due(webhooks, ofEach) {
      const waiting = await db
        .selectFrom('webhook_deliveries')
        .innerJoin('webhooks', 'webhooks.id', 'webhook_deliveries.webhook_id')
        .select(['webhooks.id', 'webhooks.url', 'webhooks.secret', 'webhooks.failing_since'])
        .distinct()
        .where('webhook_deliveries.state', '=', 'queued')
        .where('webhook_deliveries.next_try_at', '<=', now)
        .where('webhooks.is_active', '=', 1)
        .where('webhooks.deleted_at', 'is', null)
        .limit(webhooks)
        .execute()
      const due: DueDelivery[] = []
      for (const { id: webhook, url, secret, failing_since: failingSince } of waiting) {
        const rows = await db
          .selectFrom('webhook_deliveries')
          .select(['id', 'body', 'attempts'])
          .where('webhook_id', '=', webhook)
          .where('state', '=', 'queued')
          .where('next_try_at', '<=', now)
          .orderBy('next_try_at')
          .limit(ofEach)
          .execute()
        const opened = openText(seal, placeOf(webhook), secret)
        for (const row of rows)
          due.push({
            ...{ id: stored(row.id), webhook: stored(webhook), url, secret: opened },
            ...{ body: row.body, attempts: row.attempts, failingSince },
          })
      }
      return due
    },

    async delivered(delivery, attempt) {
      await tried(delivery, attempt, 'delivered', null)
      if (delivery.failingSince !== null) await setFailing(delivery.webhook, null)
    },

    async refused(delivery, attempt, nextTryAt) {
      await tried(delivery, attempt, nextTryAt === null ? 'failed' : 'queued', nextTryAt)
      if (delivery.failingSince === null) await setFailing(delivery.webhook, attempt.at)
    },

    async switchOff(id, reason) {
      await db
        .updateTable('webhooks')
        .set({ is_active: 0, disabled_reason: reason, updated_at: now })
        .where('id', '=', id)
        .execute()
    },

    async purgeEndedBefore(moment) {
      await db
        .deleteFrom('webhook_deliveries')
        .where('state', '!=', 'queued')
        .where('updated_at', '<', moment)
        .execute()
    },
  }
  return store
}

/** `*`, `tenant.*` or the name itself. */
export function matches(pattern: string, event: string): boolean {
  return pattern === '*' || pattern === event || (pattern.endsWith('.*') && event.startsWith(pattern.slice(0, -1)))
}

function webhookOf(row: Selectable<WebhookTable>): Webhook {
  return {
    id: stored(row.id),
    name: row.trashed_name ?? row.name,
    url: row.url,
    events: patterns.parse(decodeJson(row.events)),
    isActive: row.is_active === 1,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}

function deliveryOf(row: Selectable<WebhookDeliveryTable>): Delivery {
  return {
    id: stored(row.id),
    event: row.event,
    state: stored(row.state),
    attempts: row.attempts,
    tries: tries.parse(decodeJson(row.tries)),
    body: row.body,
    createdAt: row.created_at,
    nextTryAt: row.next_try_at,
  }
}
