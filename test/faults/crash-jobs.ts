/** For every job type that is tried: the requests that lead up to it, and the one that makes it. A new type without a line here does not compile. */

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deriveKeys } from '../../src/panel/auth/keys.ts'
import { storesFor } from '../../src/resources/index.ts'
import type { JobType } from '../../src/resources/jobs.ts'
import { withStores } from '../../src/resources/stores.ts'
import { purgeExpired, type Upkeep } from '../../src/resources/upkeep.ts'
import { newId } from '../../src/store/new-id.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Product } from '../support/product.ts'
import { passTrashDays } from '../support/trash-days.ts'
import { writeIntoFpmConfig } from '../support/written-by-hand.ts'
import type { Request } from './recording-client.ts'

/**
 * Jobs of databases and of what has one are left out: this machine has no database server. `test/provisioners` ends the
 * process at each of their effects. On the root side a `cron.run` is what a `domain.run` is.
 */
export type CrashType = Exclude<JobType, `database${string}` | `app.${string}` | 'cron.run'>

export function isCrashType(type: JobType): type is CrashType {
  return type !== 'cron.run' && !type.startsWith('database') && !type.startsWith('app.')
}

export interface CrashJob {
  readonly before: readonly Request[]
  /**
   * `purge`: what the panel asks for by itself when the 30 days of the trash are over. `certify`: a chain for the key that
   * was made.
   */
  readonly request: Request | 'purge' | 'certify'
  /** A page of the tenant's PHP, so that there is something to stop. */
  readonly wakes?: true
  /** Done to the machine before it. */
  readonly damage?: (root: string) => void
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
const createCertificate = post('/certificates', { domain: site })
export const certify = post(`/certificates/${site}/upload`)
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7'
const createKey = post('/ssh-keys', { tenant, name: 'laptop', publicKey: key })
/** Where the command of a run leaves a letter each time it begins: no two of them make the same tree, so it is counted apart. */
export const mark = 'begun'
const command = ['php', '-r', `file_put_contents("${mark}", "x", FILE_APPEND);`]
const both = [create, createSite, createSecond]

function forgetAlias(root: string): void {
  rmSync(join(root, 'var/lib/wcp360-web/hosts/www.shop.example.com'))
}

export const crashJobs: Readonly<Record<CrashType, CrashJob>> = {
  'tenant.create': { before: [], request: create },
  'tenant.limit': {
    before: [create],
    request: { method: 'PATCH', path: `/tenants/${tenant}`, body: { package: 'large' } },
  },
  'tenant.suspend': { before: both, request: onTenant('suspend'), wakes: true },
  'tenant.unsuspend': { before: [...both, onTenant('suspend')], request: onTenant('unsuspend') },
  'tenant.repair': { before: both, request: onTenant('repair'), damage: writeIntoFpmConfig },
  'tenant.adopt': { before: both, request: onTenant('adopt'), damage: writeIntoFpmConfig },
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
  'domain.repair': { before: both, request: onSite('repair'), damage: forgetAlias },
  'domain.delete': { before: both, request: removeSite, wakes: true },
  'domain.restore': { before: [...both, removeSite], request: onSite('restore') },
  'domain.purge': { before: [...both, removeSite], request: 'purge' },
  'certificate.create': { before: [create, createSite], request: createCertificate },
  'certificate.update': { before: [create, createSite, createCertificate], request: 'certify' },
  'ssh-key.create': { before: [create], request: createKey },
  'ssh-key.delete': { before: [create, createKey], request: { method: 'DELETE', path: '/ssh-keys/{first}' } },
  'domain.run': { before: both, request: { ...onSite('run'), body: { command } } },
}

/**
 * Lets the 30 days pass for what is in the trash, and asks for the purge as the panel's housekeeping does, from a second
 * connection to its store; the panel's runner looks every five seconds. @returns the job
 */
export async function purge(product: Product): Promise<string> {
  passTrashDays(product.places.agentDatabase)
  const db = openStore(join(product.places.panelState, 'state.db'))
  const keys = deriveKeys(readFileSync(product.places.panelKey, 'utf8'))
  const now = new Date().toISOString()
  try {
    const longAgo = new Date(Date.now() - 31 * 86_400_000).toISOString()
    for (const table of ['tenants', 'domains'] as const) {
      await db.updateTable(table).set({ deleted_at: longAgo }).where('deleted_at', 'is not', null).execute()
    }
    return await db.transaction().execute(async (tx) => {
      const stores = storesFor(tx, { now, newId, keys })
      const jobs: string[] = []
      const enqueue: Upkeep['enqueue'] = async (contract, payload, change) => {
        const by = { id: newId(), actor: 'panel', actorId: null, isStaff: false }
        const { id } = await stores.jobs.enqueue(contract, payload, by, change)
        jobs.push(id)
        return id
      }
      await purgeExpired(withStores(stores, { now, enqueue }))
      const [job] = jobs
      if (job === undefined) throw new Error('nothing in the trash is to be purged')
      return job
    })
  } finally {
    await db.destroy()
  }
}
