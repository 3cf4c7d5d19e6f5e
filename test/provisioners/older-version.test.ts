/** A database that an older version made, with a job that it had begun: this version brings both to their end. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openAgentDatabase } from '../../src/agent/jobs/agent-database.ts'
import { schemaOf } from '../../src/agent/jobs/migrate-agent.ts'
import { agentMigrations } from '../../src/agent/jobs/migrations/index.ts'
import { checksumOf } from '../../src/agent/jobs/migrations/migration.ts'
import { provisioners } from '../../src/agent/kinds/index.ts'
import { rollBackRegistry } from '../../src/agent/rescue/registry.ts'
import type { Json } from '../../src/agent/steps/step.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { type Database, openDatabase } from '../../src/program/native-sqlite.ts'
import type { JobType } from '../../src/resources/jobs.ts'
import { contentOf, toOlderSchema } from '../support/older-agent-database.ts'
import { Bench } from './bench.ts'
import { withFaults } from './faults.ts'
import { everyType, irreversible, leadUp, scenarios } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const newest = agentMigrations.length
const released: Released = JSON.parse(readFileSync(new URL('released/0.1.0.json', import.meta.url), 'utf8'))
const releasedTypes = everyType.filter((type) => Object.hasOwn(released, type))
/** Of versions that were released; a schema in between never left development. */
const releasedSchemas = [1]

it('has migrations that are numbered from one, each with the text that was released', () => {
  // A migration that a database has seen is never edited: add another one. A new line here is all that may change.
  expect(agentMigrations.map((one) => `${one.number} ${one.name} ${checksumOf(one)}`)).toMatchInlineSnapshot(`
    [
      "1 foundation 7225ff4de77dee70d23f9bcb505e9fd1782ec894ce94e5cf310f9742aa778ea9",
      "2 began-with ab5758b462b5027676247f595974b1f63e97e65fa80f5f3ab16f9a5ca50ff1bf",
      "3 asked-by 87f504c6553079d4a445e48ab54d20a5d11d4890d0e34a359e4bfa0346495104",
      "4 things 22563318f8c86233f15930512074b00d63a0ef9d6d63a4297e7ab60c45a8d1a2",
      "5 https 101946093a0336af6ca969b12411ef38e6522f0cbb9d27b45511ac0c3718175c",
      "6 databases fa3062a5a4fcc946a0c1327d4977a395ac82e6b0633480c2ac4b803e1ef9b4fc",
      "7 settings a5a8c6e4e4e780e93314fd322264f86e9d8f6dc5405815ff479ff515c8c2cbc2",
      "8 apart b2d68d31d554a149febbc59e4cd9d57c9b4c59efbc4b445d943e31313e7fc533",
    ]
  `)
})

describe.each(releasedSchemas)('a database of schema %i', (schema) => {
  it.each(releasedTypes)('%s goes on where the older version was killed', async (type) => {
    await leadUp(bench, type, schema)
    const goBack = await bench.save()
    await goBack()
    await bench.start()
    await bench.run(type, scenarios[type].payload)
    const after = bench.manifest()
    await bench.engine.close()

    await killedHalfWay(goBack, type)
    toOlderSchema(bench.places.agentDatabase, schema)
    await bench.start()

    expect(bench.messages.filter((one) => one.t === 'finished')).toMatchObject([{ failure: null }])
    expect(bench.manifest()).toBe(after)
    expect(((await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport) ?? []).toEqual([])
    expect(schemaNow()).toBe(newest)
  })

  it.each(releasedTypes.filter((type) => !irreversible.has(type)))(
    '%s is undone on from where it was killed',
    async (type) => {
      await leadUp(bench, type, schema)
      const before = bench.manifest()
      const goBack = await bench.save()
      const last = await effectsOf(goBack, type)
      await goBack()

      await dying(type, (n) => (n === last ? 'fails late' : n === last + 1 ? 'dies before' : undefined))
      toOlderSchema(bench.places.agentDatabase, schema)
      await bench.start()

      expect(bench.messages.filter((one) => one.t === 'finished')).toMatchObject([
        { failure: { message: expect.stringMatching(/injected after effect/) } },
      ])
      expect(bench.manifest()).toBe(before)
      expect(bench.engine.stuck()).toEqual([])
    },
  )

  it('is kept as a copy that the older version can read, and only the newest copy is', async () => {
    await leadUp(bench, 'tenant.limit')
    await bench.engine.close()
    const path = bench.places.agentDatabase
    toOlderSchema(path, schema)
    writeFileSync(`${path}.schema-0`, '')

    await bench.start()

    const copy = openDatabase(`${path}.schema-${schema}`, { readonly: true })
    expect([schemaOf(copy), copy.prepare('select name from tenants').pluck().all()]).toEqual([schema, ['acme']])
    copy.close()
    expect(existsSync(`${path}.schema-0`)).toBe(false)
  })
})

it('a migration that fails is found on a copy: the database stays as it was, and the agent only looks', async () => {
  await leadUp(bench, 'tenant.limit')
  await bench.engine.close()
  const path = bench.places.agentDatabase
  toOlderSchema(path, 1)
  alter(path, (database) => database.exec('alter table jobs add column began_with integer'))
  const before = contentOf(path)

  await bench.start()
  bench.engine.hello()

  expect(bench.messages.findLast(({ t }) => t === 'hello')).toMatchObject({
    readOnly: expect.stringMatching(/its schema cannot be changed: duplicate column name: began_with/),
  })
  expect(contentOf(path)).toEqual(before)
})

it.each([
  ['newer', 'pragma user_version = 99', `its schema 99 is newer than this version knows (${newest})`],
  [
    'other',
    "update meta set value = 'x' where key = 'schema.1'",
    'migration 1 (foundation) was applied with another text',
  ],
])('a database of a version with %s migrations is refused in one line', async (_, statement, reason) => {
  await bench.engine.close()
  alter(bench.places.agentDatabase, (database) => database.exec(statement))

  await bench.start()
  bench.engine.hello()

  expect(bench.messages.findLast(({ t }) => t === 'hello')).toMatchObject({ readOnly: expect.stringContaining(reason) })
  expect(bench.engine.readOnly).not.toContain('\n')
})

describe('going back from a newer version', () => {
  const tomorrow = { number: newest + 1, name: 'tomorrow', sql: 'alter table jobs rename column hash to digest;' }

  async function upgrade(): Promise<void> {
    await bench.engine.close()
    const all = [...agentMigrations, tomorrow]
    const database = await openAgentDatabase(bench.places.agentDatabase, bench.machine(), all)
    database.close()
  }

  it('puts the copy back, keeps the newer one, and the agent works', async () => {
    await leadUp(bench, 'tenant.limit')
    const path = bench.places.agentDatabase
    const before = contentOf(path)
    await upgrade()

    const [did] = await rollBackRegistry(path, bench.machine())

    expect(did).toMatch(new RegExp(`before schema ${newest} became ${newest + 1}`))
    expect(contentOf(path)).toEqual(before)
    expect(contentOf(did?.match(/"(.*)"/)?.[1] ?? '')).not.toEqual(before)
    await bench.start()
    expect(await bench.run('tenant.limit', scenarios['tenant.limit'].payload)).toMatchObject({ failure: null })
    expect(await rollBackRegistry(path, bench.machine())).toEqual([])
  })

  it('is refused once the newer version has done something', async () => {
    await leadUp(bench, 'tenant.limit')
    const path = bench.places.agentDatabase
    await upgrade()
    alter(path, (database) => database.exec("update jobs set state = 'failed' where seq = 1"))
    const before = contentOf(path)

    await expect(rollBackRegistry(path, bench.machine())).rejects.toMatchObject({ code: 'conflict' })
    expect(contentOf(path)).toEqual(before)
  })

  it('is refused without a copy', async () => {
    await bench.engine.close()
    const path = bench.places.agentDatabase
    alter(path, (database) => database.exec('pragma user_version = 99'))

    await expect(rollBackRegistry(path, bench.machine())).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('jobs of version 0.1.0', () => {
  it.each(Object.entries(released))('%s has all of its steps, by their names', (type, { target, steps }) => {
    const now = provisioners[type as JobType].steps(target, bench.machine()).map(({ name }) => bare(name))

    expect(now).toEqual(expect.arrayContaining([...steps]))
  })
})

/** By job type: what a job was resolved to, and the names of its steps, without the root. */
type Released = Readonly<Record<string, { readonly target: Json; readonly steps: readonly string[] }>>

function bare(name: string): string {
  return name.replaceAll(bench.root, '')
}

async function killedHalfWay(goBack: () => Promise<void>, type: JobType): Promise<void> {
  const half = Math.ceil((await effectsOf(goBack, type)) / 2)
  await goBack()
  await dying(type, (n) => (n === half ? 'dies after' : undefined))
}

async function effectsOf(goBack: () => Promise<void>, type: JobType): Promise<number> {
  await goBack()
  const injection = withFaults(bench.machine(), () => undefined)
  await bench.start(injection.machine)
  await bench.run(type, scenarios[type].payload)
  await bench.engine.close()
  return injection.count()
}

/** The job until its process is gone. */
async function dying(type: JobType, at: Parameters<typeof withFaults>[1]): Promise<void> {
  const injection = withFaults(bench.machine(), at)
  await bench.start(injection.machine)
  bench.messages.length = 0
  const job = bench.job(type, scenarios[type].payload)
  bench.engine.handle(job)
  // a job that ends instead of dying is a mistake of the test, told at once
  await Promise.race([injection.dead, bench.ended(job.job).then(({ failure }) => expect(failure).toBe('a death'))])
  bench.messages.length = 0
}

function alter(path: string, change: (database: Database) => void): void {
  const database = openDatabase(path)
  change(database)
  database.close()
}

function schemaNow(): number {
  const database = openDatabase(bench.places.agentDatabase, { readonly: true })
  const found = schemaOf(database)
  database.close()
  return found
}
