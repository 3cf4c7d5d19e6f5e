/** F26: a version that is older than what is on the disk, and one whose migration fails. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../../src/lib/native-sqlite.ts'
import { inWorld, siteOf, until } from './world.ts'

function write(file: string, statement: string): void {
  const database = openDatabase(file)
  database.exec(statement)
  database.close()
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

    expect(product.output).toMatch(/schema 99, expected \d+/)
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    await product.stop()
    write(product.places.agentDatabase, 'pragma user_version = 1')
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
