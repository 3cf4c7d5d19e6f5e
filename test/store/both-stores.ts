/** Runs the same tests on SQLite and on a real PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest'
import { openPanel, type Panel } from './harness.ts'
import { type Cluster, postgresMissing, startPostgres } from './postgres.ts'

export interface Bench {
  /** A panel over a fresh store, closed after the test. */
  panel(): Promise<Panel>
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
      beforeAll(() => {
        cluster = startPostgres()
      })
      afterAll(() => cluster.stop())
      tests(
        benchOver(() => cluster.newDatabase()),
        'postgres',
      )
    })
  else if ((process.env.WCP_REQUIRED_TESTS ?? '').split(/[\s,]+/).includes('store'))
    it(`${title}, on PostgreSQL`, () => {
      throw new Error(missing)
    })
  else it.skip(`${title}, on PostgreSQL: ${missing}`)
}

function benchOver(place: () => Promise<string>, quickPlace = place): Bench {
  const open: Panel[] = []
  afterEach(async () => {
    for (const panel of open.splice(0)) await panel.close()
  })
  return {
    place,
    async panel() {
      const panel = await openPanel(await quickPlace())
      open.push(panel)
      return panel
    },
  }
}
