/** Databases on a real PostgreSQL, by the jobs that make them, and as the people who use them see it. */
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { databaseServers } from '../../src/agent/os/databases/servers.ts'
import { DatabaseSizes } from '../../src/contract/usage.ts'
import { verifierOf } from '../../src/lib/database-password.ts'
import { type Person, Postgresql } from '../support/postgresql.ts'
import { Bench, newId } from './bench.ts'
import { scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
let server: Postgresql
beforeAll(async () => {
  bench = await Bench.make()
  chmodSync(bench.root, 0o711) // the tenant's own programs reach the socket below it
  server = await Postgresql.start(bench.places.postgresqlSocket)
  await bench.engine.close()
  await bench.start({ ...bench.machine(), databases: databaseServers(bench.places) })
  await bench.run('tenant.create', scenarios['tenant.create'].payload)
})
afterAll(async () => {
  await bench.engine.close()
  await server.stop()
  bench.remove()
})

const password = 'correct horse'
const about = (database: string) => ({ tenant, database })
const wanted = (name: string, secret = password) => ({
  ...{ engine: 'postgresql', name, collation: 'C.UTF-8' },
  verifier: verifierOf('postgresql', secret),
})

async function make(name: string, more: object = {}): Promise<string> {
  const database = newId()
  const payload = { ...about(database), ...wanted(name), ...more }
  expect(await bench.run('database.create', payload)).toMatchObject({ failure: null })
  return database
}

const as = (user: string, secret = password): Person => ({ user, password: secret, database: user })
const quoted = (name: string) => `"${name}"`

async function drift() {
  return (await bench.ask({ t: 'inspect', what: 'drift' })).value
}

it('gives a user everything in the database of its name', async () => {
  await make('shop', { collation: 'und-x-icu' })

  const made = await server.ask('create table t (a text); insert into t values (1); select a from t', as('shop'))

  expect(made).toEqual({ lines: ['1'], problem: '' })
  expect((await server.ask('select 1', as('shop', 'wrong'))).problem).toMatch(/password authentication failed/)
  expect((await server.ask("select 'b' < 'C'", as('shop'))).lines).toEqual(['t'])
})

it.each(['a_b', 'p%q', 'it`s-so.$x', 'do$$$w$x', 'a'.repeat(63)])(
  'keeps the user of %s out of everything else',
  async (name) => {
    await make(name)
    await server.ask('create database others')

    expect((await server.ask('create table t (a int); select count(*) from t', as(name))).lines).toEqual(['0'])
    for (const database of ['others', 'postgres', 'template1', 'shop'])
      expect((await server.ask('select 1', { ...as(name), database })).problem).toMatch(/rejects connection|denied/)
    const attacks = [
      "select pg_read_file('/etc/passwd')",
      "copy t from '/etc/passwd'",
      "copy (select 1) to program 'touch /dev/shm/wcp-program'",
      "select lo_import('/etc/passwd')",
      'select * from pg_authid',
      'set role postgres',
      'set session authorization postgres',
      'create role evil',
      'create database evil',
      `alter role ${quoted(name)} superuser`,
      `alter database ${quoted(name)} rename to evil`,
      'alter system set archive_command = $$touch /dev/shm/wcp-program$$',
      'create extension file_fdw',
      "create function evil() returns int language c as '/dev/shm/x', 'f'",
    ]
    expect(await server.problems(attacks, as(name))).toEqual(
      attacks.map(() => expect.stringMatching(/permission denied|must be/)),
    )
    expect(() => statSync('/dev/shm/wcp-program')).toThrow()
  },
)

it('gives another password, and the former one opens nothing', async () => {
  const database = await make('rotated')

  const verifier = verifierOf('postgresql', 'another')
  expect(await bench.run('database.update', { ...about(database), verifier })).toMatchObject({ failure: null })

  expect((await server.ask('select 1', as('rotated', 'another'))).lines).toEqual(['1'])
  expect((await server.ask('select 1', as('rotated'))).problem).toMatch(/password authentication failed/)
})

it('ends logins and connections of a suspended tenant, and lets them in again', async () => {
  await make('closed')
  const standing = server.connect(as('closed'))
  await vi.waitFor(async () =>
    expect((await server.ask("select count(*) from pg_stat_activity where usename = 'closed'")).lines).toEqual(['1']),
  )

  expect(await bench.run('tenant.suspend', { tenant })).toMatchObject({ failure: null })

  expect((await standing).problem).not.toBe('')
  expect((await server.ask('select 1', as('closed'))).problem).toMatch(/not permitted to log in/)
  expect(await drift()).toEqual([])
  expect(await bench.run('tenant.unsuspend', { tenant })).toMatchObject({ failure: null })
  expect((await server.ask('select 1', as('closed'))).lines).toEqual(['1'])
})

/** Everything that a database can hold, and text that is a program to who reads it carelessly (C10). */
const contents = `create table posts (id int generated always as identity primary key, body bytea, title text);
insert into posts (body, title) values ('\\x00ff0a1a5c27', 'naïve 🍰'), ('\\x01', '\\! touch /dev/shm/wcp-shell');
create table "odd
\\! touch /dev/shm/wcp-shell
name" (a int);
comment on table posts is 'one
\\! touch /dev/shm/wcp-shell
two';
create schema inner_part; create table inner_part.t as select 7 as a;
create view titles as select title from posts;
create function twice(n int) returns int language sql immutable as 'select n * 2';
create index doubled on posts (twice(id));
create function stamp() returns trigger language plpgsql as $$ begin new.title = new.title || '!'; return new; end $$;
create trigger stamp before insert on posts for each row execute function stamp();
select lo_from_bytea(4711, '\\x0102')`
const look = `select id, encode(body, 'hex'), title from posts order by id; select * from titles order by 1;
  select twice(21); select a from inner_part.t; select encode(lo_get(4711), 'hex');
  select n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'inner_part') order by 1, 2;
  select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal; select obj_description('posts'::regclass)`

it('brings data, user and password back from the trash, and leaves nothing on the server meanwhile', async () => {
  const name = 'r_e%s`t'
  const database = await make(name)
  expect((await server.ask(contents, as(name))).problem).toBe('')
  const before = await server.ask(look, as(name))
  expect(before.lines.length).toBeGreaterThan(12)

  expect(await bench.run('database.delete', about(database))).toMatchObject({ failure: null })

  const dump = join(bench.places.customers.trash, `${database}.dump`)
  expect([statSync(dump).mode & 0o777, statSync(dump).uid]).toEqual([0o600, 0])
  expect(readFileSync(dump, 'latin1')).not.toContain(password)
  const left = `select (select count(*) from pg_roles where rolname = '${name}') + (select count(*) from pg_database where datname = '${name}')`
  expect((await server.ask(left)).lines).toEqual(['0'])
  expect(await bench.run('database.restore', about(database))).toMatchObject({ failure: null })
  expect(await server.ask(look, as(name))).toEqual(before)
  expect(() => statSync(dump)).toThrow()
  expect(() => statSync('/dev/shm/wcp-shell')).toThrow()
  expect(await drift()).toEqual([])
})

it('deletes a database whose owner has barred everything', async () => {
  const database = await make('barred')
  const bars = `create table t (a int); alter role barred set role = 'wcp360_tenants';
    alter database barred set default_transaction_read_only = on; alter database barred is_template true;
    alter database barred connection limit 0`
  expect((await server.ask(bars, as('barred'))).problem).toBe('')
  await server.ask('alter database barred allow_connections false')

  expect(await bench.run('database.delete', about(database))).toMatchObject({ failure: null })

  expect(await bench.run('database.restore', about(database))).toMatchObject({ failure: null })
  expect((await server.ask('select count(*) from t', as('barred'))).lines).toEqual(['0'])
})

it('gives a name to nobody who is not its first, and no name that the server would change', async () => {
  await server.ask('create database taken')
  await server.ask('create role onlyrole')
  const refused = async (name: string) =>
    (await bench.run('database.create', { ...about(newId()), ...wanted(name) })).failure?.code

  expect(await Promise.all(['taken', 'onlyrole', 'postgres', 'template1', 'shop'].map(refused))).toEqual(
    Array.from({ length: 5 }, () => 'conflict'),
  )
  expect(await Promise.all(['a'.repeat(64), 'pg_mine'].map(refused))).toEqual(['bad_input', 'bad_input'])
  const foreign = { ...about(newId()), ...wanted('foreign'), verifier: verifierOf('mariadb', 'x') }
  expect((await bench.run('database.create', foreign)).failure?.code).toBe('bad_input')
})

it('tells what people changed by hand, and mends it', async () => {
  const database = await make('byhand')
  for (const change of [
    'alter role byhand createdb',
    'grant connect on database postgres to byhand',
    'grant connect on database byhand to public',
    'grant pg_read_all_data to byhand',
    'revoke wcp360_tenants from byhand',
  ]) {
    expect((await server.ask(change)).problem).toBe('')
    expect(JSON.stringify(await drift())).toMatch(/database byhand.*other rights/)

    const update = { ...about(database), verifier: verifierOf('postgresql', password) }
    expect(await bench.run('database.update', update)).toMatchObject({ failure: null })
    expect(await drift()).toEqual([])
  }
})

it('makes none where users of tenants would not be kept apart, and says which lines do it', async () => {
  server.keepApart(false)
  const { failure } = await bench.run('database.create', { ...about(newId()), ...wanted('open') })
  const status = databaseServers(bench.places)
    .postgresql.status()
    .catch(({ message }) => message)
  expect(await status).toMatch(/does not keep them apart/)
  server.keepApart(true)

  expect(failure).toMatchObject({
    code: 'unavailable',
    help: expect.stringContaining('local sameuser +wcp360_tenants'),
  })
  expect((await server.ask("select count(*) from pg_roles where rolname = 'open'")).lines).toEqual(['0'])
})

it('has no users beside those of the databases’ names', async () => {
  const user = { name: 'guest', access: 'read', verifier: verifierOf('postgresql', 'x') }
  const payload = { tenant, 'database-user': newId(), database: await make('alone'), ...user }

  expect((await bench.run('database-user.create', payload)).failure?.code).toBe('bad_input')
})

it('tells how large a database is, and how the server is', async () => {
  const { value } = await bench.ask({ t: 'usage', of: 'databases', tenants: [tenant] })

  const [measured] = DatabaseSizes.parse(value)
  expect(measured?.databases.length).toBeGreaterThan(3)
  expect(measured?.databases.filter(({ bytes }) => bytes === null)).toEqual([])
  expect(Math.max(...(measured?.databases ?? []).map(({ bytes }) => bytes ?? 0))).toBeGreaterThan(5_000_000)
  expect(await databaseServers(bench.places).postgresql.status()).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    connections: expect.any(Number),
    mostConnections: expect.any(Number),
  })
})

it('fails with the remedy while the server is away', async () => {
  await server.stop()

  const { failure } = await bench.run('database.create', { ...about(newId()), ...wanted('later') })

  expect(failure).toMatchObject({ code: 'unavailable', help: expect.stringContaining('systemctl start postgresql') })
})
