/** Runs the same tests on SQLite and on a real PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest'
import { openPanel, type Panel } from './harness.ts'
import { type Cluster, postgresMissing, startPostgres } from './postgres.ts'

export interface Bench {
  /** A panel over an empty store, closed after the test; one for each test. */
  panel(): Promise<Panel>
  /** The same over a store of its own, for tests that spoil the schema. */
  freshPanel(): Promise<Panel>
  /** A place for a fresh store. */
  place(): Promise<string>
}

/** Without PostgreSQL its half is skipped by name, and fails where `WCP_REQUIRED_TESTS` names the group `store`. */
export function onBothStores(title: string, tests: (bench: Bench, store: 'sqlite' | 'postgres') => void): void {
  describe(`${title}, on SQLite`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'wcp360-store-'))
    let files = 0
    afterAll(() => rmSync(directory, { recursive: true }))
    const place = async () => join(directory, `${++files}.db`)
    tests(
      benchOver(place, async () => ':memory:'),
      'sqlite',
    )
  })

  const missing = postgresMissing()
  if (missing === undefined)
    describe(`${title}, on PostgreSQL`, () => {
      let cluster: Cluster
      let shared: string | undefined
      beforeAll(() => {
        cluster = startPostgres()
      })
      afterAll(() => cluster.stop())
      const place = () => cluster.newDatabase()
      const emptied = async () => {
        if (shared !== undefined) await cluster.empty(shared)
        shared ??= await place()
        return shared
      }
      tests(benchOver(place, emptied), 'postgres')
    })
  else if ((process.env.WCP_REQUIRED_TESTS ?? '').split(/[\s,]+/).includes('store'))
    it(`${title}, on PostgreSQL`, () => {
      throw new Error(missing)
    })
  else it.skip(`${title}, on PostgreSQL: ${missing}`)
}

/** @param quickPlace a store that is cheaper to get than a new one, and as empty */
function benchOver(place: () => Promise<string>, quickPlace: () => Promise<string>): Bench {
  const open: Panel[] = []
  afterEach(async () => {
    for (const panel of open.splice(0)) await panel.close()
  })
  const panelAt = async (where: string) => {
    const panel = await openPanel(where)
    open.push(panel)
    return panel
  }
  return {
    place,
    panel: async () => panelAt(await quickPlace()),
    freshPanel: async () => panelAt(await place()),
  }
}
