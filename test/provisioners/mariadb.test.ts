/** Databases on a real MariaDB, by the jobs that make them, and as the people who use them see it. */
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { databaseServers } from '../../src/agent/os/databases/servers.ts'
import type { Machine } from '../../src/agent/os/machine.ts'
import { DatabaseSizes } from '../../src/contract/usage.ts'
import { verifierOf } from '../../src/lib/database-password.ts'
import { Mariadb } from '../support/mariadb.ts'
import { passTrashDays } from '../support/trash-days.ts'
import { Bench, newId } from './bench.ts'
import { scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
let server: Mariadb
let machine: Machine
beforeAll(async () => {
  bench = await Bench.make()
  chmodSync(bench.root, 0o711) // the tenant's own programs reach the socket below it
  server = await Mariadb.start(bench.places.mariadbSocket)
  await bench.engine.close()
  machine = { ...bench.machine(), databases: databaseServers(bench.places) }
  await bench.start(machine)
  await bench.run('tenant.create', scenarios['tenant.create'].payload)
})
afterAll(async () => {
  await bench.engine.close()
  await server.stop()
  bench.remove()
})

const password = 'correct horse'
const about = (database: string) => ({ tenant, database })

async function make(name: string, secret = password): Promise<string> {
  const database = newId()
  const wanted = { engine: 'mariadb', name, collation: 'utf8mb4_unicode_ci', verifier: verifierOf('mariadb', secret) }
  expect(await bench.run('database.create', { ...about(database), ...wanted })).toMatchObject({ failure: null })
  return database
}

const as = (user: string, secret = password) => ({ user, password: secret, database: user })
const backticked = (name: string) => `\`${name.replaceAll('`', '``')}\``

async function drift() {
  return (await bench.ask({ t: 'inspect', what: 'drift' })).value
}

it('gives a user everything in the database of its name', async () => {
  await make('shop')

  const made = await server.ask('create table t (a int); insert into t values (1); select a from t', as('shop'))

  expect(made).toEqual({ lines: ['1'], problem: '' })
  expect((await server.ask('select 1', as('shop', 'wrong'))).problem).toMatch(/Access denied/)
})

it.each([
  ['a_b', 'axb'],
  ['p%q', 'pxxq'],
  ['it`s-so.$x', 'its'],
  ['a'.repeat(64), 'a'.repeat(63)],
  ['_'.repeat(31).padStart(33, 'n'), 'n'.repeat(33)],
])('keeps the user of %s out of %s, and out of everything else', async (name, other) => {
  await make(name)
  await server.ask(`create database ${backticked(other)}; create table ${backticked(other)}.t (a int)`)

  expect((await server.ask('create table t (a int); select count(*) from t', as(name))).lines).toEqual(['0'])
  expect((await server.ask(`select * from ${backticked(other)}.t`, as(name))).problem).toMatch(/denied/)
  expect((await server.ask('show databases', as(name))).lines.toSorted()).toEqual(
    [name, 'information_schema'].toSorted(),
  )
  for (const attack of [
    "select load_file('/etc/passwd') is null and 1/0",
    `select 1 into outfile '/dev/shm/wcp-outfile'`,
    'select * from mysql.global_priv',
    'create user evil@localhost',
    `grant all on *.* to ${backticked(name)}@localhost`,
    "set global general_log_file = '/tmp/x'",
    'create database evil',
  ]) {
    const { lines, problem } = await server.ask(attack, as(name))
    expect({ attack, isRefused: problem !== '' || lines.join() === '0' || lines.join() === 'NULL' }).toEqual({
      attack,
      isRefused: true,
    })
  }
  await server.ask(`drop database ${backticked(other)}`)
})

it('gives another password, and the former one opens nothing', async () => {
  const database = await make('rotated')

  const verifier = verifierOf('mariadb', 'another')
  expect(await bench.run('database.update', { ...about(database), verifier })).toMatchObject({ failure: null })

  expect((await server.ask('select 1', as('rotated', 'another'))).lines).toEqual(['1'])
  expect((await server.ask('select 1', as('rotated'))).problem).toMatch(/Access denied/)
})

it('ends logins and connections of a suspended tenant, and lets them in again', async () => {
  await make('closed')
  const standing = server.connect(as('closed'))
  await vi.waitFor(async () =>
    expect(
      (await server.ask("select count(*) from information_schema.processlist where user = 'closed'")).lines,
    ).toEqual(['1']),
  )

  expect(await bench.run('tenant.suspend', { tenant })).toMatchObject({ failure: null })

  expect((await standing).problem).not.toBe('')
  expect((await server.ask('select 1', as('closed'))).problem).toMatch(/locked/)
  expect(await drift()).toEqual([])
  expect(await bench.run('tenant.unsuspend', { tenant })).toMatchObject({ failure: null })
  expect((await server.ask('select 1', as('closed'))).lines).toEqual(['1'])
})

/** Everything that a database can hold, and text that is a program to who reads it carelessly (C10). */
const contents = `create table posts (id int primary key auto_increment, body blob, title varchar(100) character set utf8mb4);
insert into posts (body, title) values (x'00ff0a1a5c27', 'naïve 🍰'), ('\\\\! touch /dev/shm/wcp-shell', 'two');
create table \`odd
\\! touch /dev/shm/wcp-shell
name\` (a int);
create view titles as select title from posts;
create procedure twice(n int) select n * 2;
create trigger stamp before insert on posts for each row set new.title = concat(new.title, '!');
create event later on schedule at '2037-01-01' do delete from posts;`
const look = `select id, hex(body), title from posts; select * from titles; call twice(21); show tables;
  select trigger_name, action_statement, definer from information_schema.triggers where trigger_schema = database();
  select event_name, event_definition, definer, execute_at from information_schema.events where event_schema = database()`

it('brings data, user and password back from the trash, and leaves nothing on the server meanwhile', async () => {
  const name = 'r_e%s`t'
  const database = await make(name)
  expect((await server.ask(contents, as(name))).problem).toBe('')
  const before = await server.ask(look, as(name))
  expect(before.lines.length).toBeGreaterThan(6)

  expect(await bench.run('database.delete', about(database))).toMatchObject({ failure: null })

  const dump = join(bench.places.customers.trash, `${database}.sql`)
  expect([statSync(dump).mode & 0o777, statSync(dump).uid]).toEqual([0o600, 0])
  expect(readFileSync(dump, 'latin1')).not.toContain(password)
  expect((await server.ask('select 1', as(name))).problem).toMatch(/Access denied/)
  const left = `select count(*) from mysql.global_priv where user like 'r%s_t'; select count(*) from mysql.db where user like 'r%s_t'; show databases like 'r%'`
  expect((await server.ask(left)).lines.slice(0, 2)).toEqual(['0', '0'])
  expect(await bench.run('database.restore', about(database))).toMatchObject({ failure: null })
  expect(await server.ask(look, as(name))).toEqual(before)
  expect(() => statSync(dump)).toThrow()
  expect(() => statSync('/dev/shm/wcp-shell')).toThrow()
  expect(await drift()).toEqual([])
})

it('goes on where a restore was killed in the middle of loading', async () => {
  const database = await make('halfway')
  await server.ask('create table t (a int primary key)', as('halfway'))
  await server.ask(`insert into t values ${Array.from({ length: 5000 }, (_, a) => `(${a})`).join()}`, as('halfway'))
  await bench.run('database.delete', about(database))
  await bench.engine.close()
  const real = machine.databases.mariadb
  const half = Promise.withResolvers<void>()
  const dying = {
    ...real,
    async load(copying: Parameters<typeof real.load>[0]) {
      await real.load(copying)
      half.resolve() // all is loaded, and nobody notes it: the next start must not find the rows twice
      return new Promise<never>(() => {})
    },
  }
  await bench.start({ ...machine, databases: { ...machine.databases, mariadb: dying } })
  const job = newId()
  bench.engine.handle(bench.job('database.restore', about(database), { job }))
  await half.promise

  bench.messages.length = 0
  await bench.start(machine)

  expect(await bench.ended(job)).toMatchObject({ failure: null })
  expect((await server.ask('select count(*) from t', as('halfway'))).lines).toEqual(['5000'])
})

it('gives a name to nobody who is not its first', async () => {
  await server.ask("create database taken; create user onlyuser@'%'")
  const refused = async (name: string) => {
    const wanted = { engine: 'mariadb', name, collation: 'utf8mb4_bin', verifier: verifierOf('mariadb', 'x') }
    return (await bench.run('database.create', { ...about(newId()), ...wanted })).failure?.code
  }

  expect(await Promise.all(['taken', 'onlyuser', 'mysql', 'root', 'shop'].map(refused))).toEqual(
    Array.from({ length: 5 }, () => 'conflict'),
  )
})

it('tells what people changed by hand', async () => {
  const database = await make('byhand')
  await server.ask('grant all on *.* to byhand@localhost')
  expect(JSON.stringify(await drift())).toMatch(/database byhand.*other rights/)
  await server.ask('drop user byhand@localhost')
  expect(JSON.stringify(await drift())).toMatch(/user of database byhand.*create/)

  expect(
    await bench.run('database.update', { ...about(database), verifier: verifierOf('mariadb', password) }),
  ).toMatchObject({
    failure: null,
  })
  expect(await drift()).toEqual([])
  expect((await server.ask('show grants for byhand@localhost')).lines).toHaveLength(2)
})

it('is gone for good when its days in the trash are over', async () => {
  const database = await make('purged')
  await bench.run('database.delete', about(database))
  expect((await bench.run('database.purge', about(database))).failure?.message).toMatch(/the trash keeps it/)
  passTrashDays(bench.places.agentDatabase)

  expect(await bench.run('database.purge', about(database))).toMatchObject({ failure: null })

  expect(() => statSync(join(bench.places.customers.trash, `${database}.sql`))).toThrow()
  expect((await bench.run('database.restore', about(database))).failure?.code).toBe('not_found')
})

const noGuest = { lines: [], problem: expect.stringMatching(/denied|locked/) }

it('gives others a part of the rights in a database, which come and go with it', async () => {
  const name = 'sh_a%red'
  const database = await make(name)
  await server.ask('create table t (a int); insert into t values (1)', as(name))
  const guest = async (user: string, access: string) => {
    const id = newId()
    const payload = { tenant, 'database-user': id, database, name: user, access, verifier: verifierOf('mariadb', user) }
    expect(await bench.run('database-user.create', payload)).toMatchObject({ failure: null })
    return { id, ask: (sql: string) => server.ask(sql, { user, password: user, database: name }) }
  }
  const [reader, writer, other] = [
    await guest('reader', 'read'),
    await guest('wr_ter', 'write'),
    await guest('o', 'all'),
  ]

  expect((await reader.ask('select a from t')).lines).toEqual(['1'])
  for (const attack of ['insert into t values (2)', 'drop table t', 'create table u (a int)', 'select * from mysql.db'])
    expect({ attack, ...(await reader.ask(attack)) }).toEqual({ attack, ...noGuest })
  expect((await writer.ask('insert into t values (2); select sum(a) from t')).lines).toEqual(['3'])
  for (const attack of ['drop table t', 'alter table t add b int', 'create view v as select 1'])
    expect({ attack, ...(await writer.ask(attack)) }).toEqual({ attack, ...noGuest })
  expect((await other.ask('create table u (a int); drop table u')).problem).toBe('')
  // would be the user's own, which the database's user could not make again from a dump
  for (const foreign of [
    'view v as select 1',
    'procedure p() select 1',
    'trigger r before delete on t for each row set @a = 1',
  ])
    expect({ foreign, ...(await other.ask(`create ${foreign}`)) }).toEqual({ foreign, ...noGuest })
  await server.ask('create database shxared; create table shxared.t (a int)')
  expect(await other.ask('select * from shxared.t')).toEqual(noGuest)
  expect(await drift()).toEqual([])

  await bench.run('tenant.suspend', { tenant })
  expect(await reader.ask('select 1')).toEqual(noGuest)
  await bench.run('tenant.unsuspend', { tenant })
  await bench.run('database.delete', about(database))
  expect(await reader.ask('select 1')).toEqual(noGuest)
  const clash = { engine: 'mariadb', name: 'reader', collation: 'utf8mb4_bin', verifier: verifierOf('mariadb', 'x') }
  expect((await bench.run('database.create', { ...about(newId()), ...clash })).failure?.code).toBe('conflict')
  expect(await bench.run('database.restore', about(database))).toMatchObject({ failure: null })
  expect((await reader.ask('select sum(a) from t')).lines).toEqual(['3'])
  expect(await reader.ask('delete from t')).toEqual(noGuest)

  expect(await bench.run('database-user.delete', { tenant, 'database-user': reader.id })).toMatchObject({
    failure: null,
  })
  expect(await reader.ask('select 1')).toEqual(noGuest)
  const update = { tenant, 'database-user': writer.id, verifier: verifierOf('mariadb', 'another') }
  expect(await bench.run('database-user.update', update)).toMatchObject({ failure: null })
  expect(await writer.ask('select 1')).toEqual(noGuest)
  const renewed = { user: 'wr_ter', password: 'another', database: name }
  expect((await server.ask('select sum(a) from t', renewed)).lines).toEqual(['3'])
  expect(await server.ask('drop table t', renewed)).toEqual(noGuest)
})

it('tells how large a database is, and how the server is', async () => {
  const { value } = await bench.ask({ t: 'usage', of: 'databases', tenants: [tenant] })

  const [measured] = DatabaseSizes.parse(value)
  expect(measured?.databases.length).toBeGreaterThan(3)
  expect(measured?.databases.filter(({ bytes }) => bytes === null)).toEqual([])
  expect(Math.max(...(measured?.databases ?? []).map(({ bytes }) => bytes ?? 0))).toBeGreaterThan(15_000)
  expect(await databaseServers(bench.places).mariadb.status()).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    connections: expect.any(Number),
    mostConnections: expect.any(Number),
  })
})

it('fails with the remedy while the server is away, and works when it is back', async () => {
  await server.stop()

  const wanted = { engine: 'mariadb', name: 'later', collation: 'utf8mb4_bin', verifier: verifierOf('mariadb', 'x') }
  const { failure } = await bench.run('database.create', { ...about(newId()), ...wanted })

  expect(failure).toMatchObject({ code: 'unavailable', help: expect.stringContaining('systemctl start mariadb') })
})
