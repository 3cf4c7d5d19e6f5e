import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Tried } from './attack-class.ts'
import { shellsOf } from './executed.ts'
import type { Stage } from './stage.ts'

const payloads = [
  '$(id>/tmp/wcp-c03)',
  'x.com; } server {',
  '../../etc',
  'a\nuser = root',
  '-rf',
  '"; drop table tenants; --',
  '',
]

/** Whoever can write the panel's store writes what the panel would never have taken, and then the panel sends it. */
export const secondOrder: Tried = {
  name: 'what is written into the store itself, and sent to the root side from there',
  holds: 'refused by the root side, nothing rendered',
  says: [
    /^an operation failed$/,
    /^a request failed$/,
    /^job does not fit its contract$/,
    /^panel broke the protocol; connection closed$/,
    /^a job failed$/,
    /^cannot look for drift now$/, // for as long as a name in the store is none
    /^the line to the agent (was closed|failed)$/,
  ],
  async attack(stage, tally) {
    const { product, butcher, world } = stage
    const store = new Database(join(product.places.panelState, 'state.db'))
    store.pragma('busy_timeout = 10000')
    const set = (table: string, column: string, id: string) => {
      const { kept } = store.prepare(`select ${column} as kept from ${table} where id = ?`).get(id) as { kept: unknown }
      const write = (value: unknown) => store.prepare(`update ${table} set ${column} = ? where id = ?`).run(value, id)
      return { write, undo: () => write(kept) }
    }
    try {
      for (const payload of payloads) {
        const columns = [
          set('tenants', 'name', butcher.tenant),
          set('tenants', 'linux_user', butcher.tenant),
          set('domains', 'fqdn', butcher.domain),
        ]
        for (const { write } of columns) write(payload)
        for (const verb of ['suspend', 'unsuspend']) {
          await stage.root('POST', `/domains/${butcher.domain}/${verb}`)
          await world.settled()
        }
        for (const path of [
          '/tenants',
          '/domains',
          `/domains/${butcher.domain}`,
          `/tenants/${butcher.tenant}`,
          `/domains?search=${encodeURIComponent(payload)}`,
          '/health/drift',
        ])
          tally.held(
            (await stage.root('GET', path)).status !== 200 ||
              path !== '/health/drift' ||
              (await stage.root('GET', path)).json().items?.length === 0,
            `drift after ${JSON.stringify(payload)}`,
          )
        for (const { undo } of columns) undo()
        tally.same(await product.visit(butcher.site), 200, `the site is gone after ${JSON.stringify(payload)}`)
      }
      for (const payload of payloads) {
        tally.same(
          await queued(stage, store, payload),
          'failed',
          `a job whose stored payload says ${JSON.stringify(payload)}`,
        )
      }
    } finally {
      store.close()
    }
    tally.same(shellsOf(stage.executed()), [], 'a shell ran')
    tally.same(await product.visit(butcher.site), 200, 'the site is not served any more')
  },
}

/**
 * A job that the panel never made lies in its queue; the next one that is asked for wakes whoever sends them.
 * @returns how it ended
 */
async function queued(
  { root, world, butcher, baker }: Stage,
  store: Database.Database,
  payload: string,
): Promise<string | undefined> {
  const another = `n${randomUUID().slice(0, 8)}`
  await root('PATCH', `/domains/${butcher.domain}`, { aliases: [`${another}.${butcher.site}`] })
  await world.settled()
  const like = store
    .prepare('select * from jobs where resource_id = ? order by sequence desc limit 1')
    .get(butcher.domain) as Record<string, unknown>
  const { token } = store
    .prepare('update domains set version = version + 1 where id = ? returning version as token')
    .get(butcher.domain) as { token: number }
  const { sequence } = store.prepare('select max(sequence) + 1 as sequence from jobs').get() as { sequence: number }
  const made = {
    ...like,
    id: randomUUID(),
    sequence,
    token,
    state: 'queued',
    started_at: null,
    finished_at: null,
    failure: null,
    attempts: 0,
    payload: JSON.stringify({ ...JSON.parse(String(like.payload)), aliases: [payload] }),
  }
  const names = Object.keys(made)
  store
    .prepare(`insert into jobs (${names.join(', ')}) values (${names.map((name) => `@${name}`).join(', ')})`)
    .run(made)
  await root('PATCH', `/domains/${baker.domain}`, { aliases: [`${another}.${baker.site}`] })
  return (await world.settled()).find((job) => job.id === made.id)?.state
}
