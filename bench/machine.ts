/** The root side's half of a population: its registry and journal, and the trees of all sites, made by the product's own steps. */

import '../test/support/checkout-assets.ts'
import { randomUUID } from 'node:crypto'
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { wanted } from '../src/agent/drift/drift.ts'
import { Registry } from '../src/agent/jobs/registry.ts'
import { systemAccounts } from '../src/agent/os/accounts.ts'
import { createFiles, type Files, type Ownership } from '../src/agent/os/files.ts'
import type { Layout } from '../src/agent/os/layout.ts'
import type { Machine } from '../src/agent/os/machine.ts'
import { uidRange } from '../src/agent/os/tenant-uids.ts'
import { openDatabase } from '../src/program/native-sqlite.ts'
import { limits, type Tenant } from './population.ts'

/** Tenants with their sites, each with the fence and the finished job of its creation. The agent does not run. */
export function fillRegistry(path: string, tenants: readonly Tenant[]): void {
  const database = openDatabase(path)
  const registry = new Registry(database)
  const fence = database.prepare('insert into fences (resource, token, hash) values (?, 1, ?)')
  const job = database.prepare(`insert into jobs
    (id, type, resource, tenant, token, hash, payload, destructive, accepted_at, target, state, acknowledged)
    values (?, ?, ?, ?, 1, ?, '{}', 0, ?, '{}', 'succeeded', 1)`)
  const moment = new Date(Date.now() - 86_400_000).toISOString()
  const hash = 'f'.repeat(64)
  database.transaction(() => {
    for (const [index, { id, name, sites }] of tenants.entries()) {
      registry.addTenant({ id, name, uid: uidRange.first + index, state: 'active', limits })
      fence.run(id, hash)
      job.run(randomUUID(), 'tenant.create', id, id, hash, moment)
      for (const site of sites) {
        registry.addSite({
          id: site.id,
          tenant: id,
          fqdn: site.fqdn,
          aliases: [site.alias],
          php: '8.2',
          state: 'active',
          https: 'redirect',
          apart: null,
          settings: {},
        })
        registry.claimHosts(site.id, [site.fqdn, site.alias])
        fence.run(site.id, hash)
        job.run(randomUUID(), 'domain.create', site.id, id, hash, moment)
      }
    }
  })()
  database.close()
}

/** What the registry wants, in place: nothing of it is drift. */
export async function makeTrees(places: Layout): Promise<void> {
  const database = openDatabase(places.agentDatabase)
  const registry = new Registry(database)
  const accounts = systemAccounts()
  const machine = {
    places,
    files: unsyncedFiles(places.root),
    services: { applyLimits: async () => {}, reloadNginx: async () => {} },
    accounts: { panelUid: accounts.panel.uid, panelGid: accounts.panel.gid, webGid: accounts.webGid },
    now: () => new Date(),
  } as unknown as Machine // of the services these steps touch the limits and the reload alone
  for (const tenant of registry.tenants())
    for (const [, steps] of wanted(registry, machine, tenant)) for (const step of steps) await step.apply(machine, null)
  database.close()
}

/** The product's writer without its fsync after each change, which would take hours here. */
function unsyncedFiles(root: string): Files {
  const give = (path: string, { mode, uid, gid }: Ownership) => {
    chownSync(path, uid, gid)
    chmodSync(path, mode)
  }
  const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined
  return {
    ...createFiles({ root, owner: 0 }),
    async look(path) {
      return isThere(path) ? { type: 'directory', mode: 0, uid: 0, gid: 0 } : { type: 'absent' }
    },
    async writeFile(path, content, ownership) {
      writeFileSync(path, content)
      give(path, ownership)
    },
    async makeDirectory(path, ownership) {
      if (!isThere(path)) mkdirSync(path)
      give(path, ownership)
    },
    makeLink: async (path, target) => symlinkSync(target, path),
    move: async (from, to) => renameSync(from, to),
    remove: async (path) => rmSync(path, { force: true }),
    removeTree: async (path) => rmSync(path, { force: true, recursive: true }),
  }
}
