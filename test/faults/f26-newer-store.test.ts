/** F26: a version that is older than what is on the disk, and one whose migration fails. */
import { execFileSync } from 'node:child_process'
import { chownSync, copyFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { agentMigrations } from '../../src/agent/jobs/migrations/index.ts'
import { RescueAnswer } from '../../src/contract/rescue.ts'
import { openDatabase } from '../../src/program/native-sqlite.ts'
import { migrations, ownSchema } from '../../src/resources/index.ts'
import { migrateKeepingCopy } from '../../src/store/kept-copy.ts'
import { openStore } from '../../src/store/open-store.ts'
import { executable } from '../support/executable.ts'
import type { Product } from '../support/product.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

function write(file: string, statement: string): void {
  const database = openDatabase(file)
  database.exec(statement)
  database.close()
}

/** What a version that knows one migration more does to a store at its start. @returns its copy */
async function upgrade(store: string): Promise<string> {
  const tomorrow = { number: 999, name: 'from-tomorrow', statements: () => ['alter table users rename to people'] }
  const db = openStore(store)
  await migrateKeepingCopy(db, store, new Date().toISOString(), [...migrations, tomorrow])
  await db.destroy()
  return `${store}.schema-${ownSchema}`
}

/** The newer version at work, played by this one, whose schema it has for so long: a tenant that the copy does not know. */
async function whileNewer(world: World, store: string): Promise<void> {
  write(store, 'alter table people rename to users; delete from schema_migrations where number = 999')
  await world.product.start()
  await world.createTenant('since')
  await world.settled()
  await world.product.stop()
  write(
    store,
    `alter table users rename to people; insert into schema_migrations
    values (999, 'from-tomorrow', 'x', '2030-01-01T00:00:00.000Z')`,
  )
}

/** What `wcp emergency roll-back` asks of the root side, which finds the accounts of its machine below the root. */
function rollBack({ root }: Product): RescueAnswer {
  for (const file of ['passwd', 'group']) copyFileSync(`/etc/${file}`, join(root, 'etc', file))
  const input = JSON.stringify({ do: 'roll-back' })
  return RescueAnswer.parse(
    JSON.parse(execFileSync(executable(), ['rescue', '--root', root], { input, encoding: 'utf8' })),
  )
}

function schemaOf(file: string): unknown {
  const database = openDatabase(file, { readonly: true })
  const found = [
    database.prepare('select * from sqlite_schema').all(),
    database.prepare('select * from schema_migrations').all(),
  ]
  database.close()
  return found
}

it(
  'a panel does not touch a store of a newer version, and says so in one line',
  inWorld('F26', 'state.db of a newer version', 'refused in one line; sites served', async (world) => {
    const { product } = world
    const store = join(product.places.panelState, 'state.db')
    await product.stop()
    write(store, "insert into schema_migrations values (999, 'from-tomorrow', 'x', '2030-01-01T00:00:00.000Z')")

    product.begin()
    const line = 'Cannot use the store: its schema 999 (from-tomorrow) is newer than this version knows'
    await until('it is said', () => product.output.includes(line))

    expect(product.output.split('\n').filter((said) => said.startsWith('    at '))).toEqual([])
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    write(store, 'delete from schema_migrations where number = 999')
    await until('the panel is back', () => product.isConnected(), 60_000)
    await world.oracle([/^service ended$/, /^Cannot use the store: its schema 999/])
  }),
)

it(
  'an agent inspects only when its registry is of a newer version',
  inWorld('F26', 'agent.db of a newer version', 'inspects only; sites served', async (world) => {
    const { product } = world
    await product.stop()
    write(product.places.agentDatabase, 'pragma user_version = 99')

    await product.start()

    expect(product.output).toMatch(/schema 99 is newer than this version knows \(\d+\)/)
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    await product.stop()
    write(product.places.agentDatabase, `pragma user_version = ${agentMigrations.length}`)
    await product.start()
    await world.oracle([/^registry cannot be used, nothing will be changed$/])
  }),
)

it(
  'a panel whose migration fails says so, and leaves the store as it was',
  inWorld('F26', 'migration of state.db that fails', 'told; nothing half-applied; sites served', async (world) => {
    const { product } = world
    const store = join(product.places.panelState, 'state.db')
    await product.stop()
    // its tables are there already, and are made once more
    write(
      store,
      'create table applied as select * from schema_migrations; delete from schema_migrations where number = 1',
    )
    const before = schemaOf(store)

    product.begin()
    await until('it is said', () => /Cannot use the store: migration \d+ \([\w-]+\) failed/.test(product.output))

    expect(product.output.split('\n').filter((said) => said.startsWith('    at '))).toEqual([])
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    expect(schemaOf(store)).toEqual(before)
    write(
      store,
      'delete from schema_migrations; insert into schema_migrations select * from applied; drop table applied',
    )
    await until('the panel is back', () => product.isConnected(), 60_000)
    await world.oracle([/^service ended$/, /^Cannot use the store: migration/])
  }),
)

it(
  'goes back to the version before by one command, which keeps the newer state',
  inWorld(
    'F26',
    'wcp emergency roll-back',
    'the version before serves and changes; newer state kept',
    async (world) => {
      const { product } = world
      const store = join(product.places.panelState, 'state.db')
      await product.stop()
      expect(rollBack(product).problem?.message).toMatch(/this version works with the store as it is/)
      const { uid, gid } = statSync(store)
      chownSync(await upgrade(store), uid, gid)
      await whileNewer(world, store)
      product.begin()
      await until('the way back is told', () => product.output.includes('or go back: "wcp emergency roll-back"'))
      await product.stop()

      const { report, problem } = rollBack(product)
      await product.start()

      expect(problem).toBeNull()
      expect(report?.did[0]).toBe(`The store is as it was before schema ${ownSchema} became 999.`)
      await until('it is told', () => product.output.includes('"the store was put back from a backup"'))
      await world.createTenant('after')
      expect((await world.settled()).filter(({ state }) => state !== 'succeeded')).toEqual([])
      for (const name of ['after', 'since', 'neighbour']) expect(await product.visit(siteOf(name))).toBe(200)
      expect(await product.call('GET', '/health/drift')).toMatchObject({
        items: [{ resource: 'tenant since' }, { resource: `domain ${siteOf('since')}` }],
      })
      const [aside = ''] = readdirSync(product.places.panelState).filter((name) => name.startsWith('state.db.aside-'))
      expect(schemaOf(join(product.places.panelState, aside))).toMatchObject([
        expect.arrayContaining([expect.objectContaining({ name: 'people' })]),
        expect.arrayContaining([expect.objectContaining({ number: 999 })]),
      ])
    },
  ),
)
