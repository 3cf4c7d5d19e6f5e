/** For every job type: the requests that lead up to it, and the one that makes it. A new type without a line here does not compile. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { deriveKeys } from '../../src/panel/auth/keys.ts'
import { sessionTable } from '../../src/panel/auth/sessions.ts'
import { openStore } from '../../src/panel/db/open-store.ts'
import { housekeeping } from '../../src/panel/jobs/housekeeping.ts'
import { newId } from '../../src/panel/operation-context.ts'
import { storesFor } from '../../src/resources/index.ts'
import type { JobType } from '../../src/resources/jobs.ts'
import type { Product } from '../support/product.ts'
import type { Request } from './recording-client.ts'

export interface CrashJob {
  readonly before: readonly Request[]
  /** `purge`: what the panel asks for by itself when the 30 days of the trash are over. */
  readonly request: Request | 'purge'
  /** A page of the tenant's PHP, so that there is something to stop. */
  readonly wakes?: true
}

export const tenant = 'acme'
export const site = 'shop.example.com'
const second = 'static.example.org'
const post = (path: string, body?: Request['body']): Request => ({ method: 'POST', path, ...(body && { body }) })

const create = post('/tenants', { name: tenant, package: 'small' })
const createSite = post('/domains', { tenant, fqdn: site, aliases: ['www.shop.example.com'] })
const createSecond = post('/domains', { tenant, fqdn: second, php: 'none' })
const onTenant = (verb: string) => post(`/tenants/${tenant}/${verb}`)
const onSite = (verb: string) => post(`/domains/${site}/${verb}`)
const removeTenant: Request = { method: 'DELETE', path: `/tenants/${tenant}` }
const removeSite: Request = { method: 'DELETE', path: `/domains/${site}` }
const both = [create, createSite, createSecond]

export const crashJobs: Readonly<Record<JobType, CrashJob>> = {
  'tenant.create': { before: [], request: create },
  'tenant.limit': {
    before: [create],
    request: { method: 'PATCH', path: `/tenants/${tenant}`, body: { package: 'large' } },
  },
  'tenant.suspend': { before: both, request: onTenant('suspend'), wakes: true },
  'tenant.unsuspend': { before: [...both, onTenant('suspend')], request: onTenant('unsuspend') },
  'tenant.delete': { before: [...both, post(`/domains/${second}/suspend`)], request: removeTenant, wakes: true },
  'tenant.restore': { before: [...both, removeTenant], request: onTenant('restore') },
  'tenant.purge': { before: [...both, removeSite, removeTenant], request: 'purge' },
  'domain.create': { before: [create, createSecond], request: createSite },
  'domain.update': {
    before: both,
    request: { method: 'PATCH', path: `/domains/${site}`, body: { aliases: ['new.shop.example.com'] } },
    wakes: true,
  },
  'domain.suspend': { before: both, request: onSite('suspend'), wakes: true },
  'domain.unsuspend': { before: [...both, onSite('suspend')], request: onSite('unsuspend') },
  'domain.delete': { before: both, request: removeSite, wakes: true },
  'domain.restore': { before: [...both, removeSite], request: onSite('restore') },
  'domain.purge': { before: [...both, removeSite], request: 'purge' },
}

/**
 * Lets the 30 days pass for what is in the trash, and has the panel's own housekeeping ask for the purge, from a second
 * connection to its store. @returns the job
 */
export async function purge(product: Product): Promise<string> {
  const db = openStore(join(product.places.panelState, 'state.db'))
  try {
    const longAgo = new Date(Date.now() - 31 * 86_400_000).toISOString()
    for (const table of ['tenants', 'domains'] as const) {
      await db.updateTable(table).set({ deleted_at: longAgo }).where('deleted_at', 'is not', null).execute()
    }
    const { audit } = deriveKeys(readFileSync(product.places.panelKey, 'utf8'))
    const house = housekeeping({
      db,
      storesOf: (on) => storesFor(on, { now: new Date().toISOString(), newId, auditKey: audit }),
      sessions: sessionTable(() => ({ idleMinutes: 30, adminIdleMinutes: 30, hours: 1 })),
      onQueued: () => {}, // the panel's runner looks every five seconds
      log: pino({ level: 'silent' }),
    })
    await house.purge()
    const job = await db.selectFrom('jobs').select('id').orderBy('sequence', 'desc').executeTakeFirstOrThrow()
    return job.id
  } finally {
    await db.destroy()
  }
}
