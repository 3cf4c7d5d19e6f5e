/** Databases, each with the one user that has all rights in it and nowhere else. */
import { label } from '../../lib/texts.ts'
import { effectiveBadge } from '../effective-status.ts'
import { defineKind } from '../kind.ts'
import { listTab } from '../list-tab.ts'
import { databasePurge } from './jobs.ts'
import * as operations from './operations.ts'
import { databaseRow } from './row.ts'
import { Database } from './schema.ts'
import { databaseSizes, databaseStore, databases } from './store.ts'

export const database = defineKind({
  name: 'database',
  words: {
    one: 'database',
    many: 'Databases',
    lede: 'Databases of customers, each with a user that sees nothing else.',
    add: 'New database',
    none: 'No databases yet',
    noneText: 'A database comes with a user of the same name, whose password is shown once.',
    rotate: 'New password',
    addUser: 'Add a user',
    fields: {
      engine: 'Server',
      collation: 'Collation',
      socket: 'Unix socket',
      databaseUser: 'User',
      usedMb: 'Size (MB)',
    },
    notMeasured: 'not measured yet',
  },
  path: '/databases',
  menu: { group: 'hosting', icon: 'database' },
  parent: 'tenant',
  tabs: {
    domain: [listTab({ kind: 'database', slug: 'databases', input: ({ tenant }) => ({ tenant: tenant ?? '' }) })],
  },
  item: Database,
  columns: ({ t, about }) => [
    { title: label(t, 'name'), sorts: 'name', cell: ({ id, name }) => ({ text: name, href: `/databases/${id}` }) },
    { title: label(t, 'status'), cell: (one) => ({ badge: effectiveBadge(t, one) }) },
    ...(about === 'tenant' ? [] : [{ title: label(t, 'tenant'), wide: true, cell: tenantCell }]),
    { title: label(t, 'engine'), wide: true, cell: ({ engine }) => ({ text: engine }) },
    {
      title: label(t, 'usedMb'),
      wide: true,
      number: true,
      cell: ({ usedMb }) => ({ text: usedMb === null ? '–' : t.format.number(usedMb) }),
    },
    { title: label(t, 'createdAt'), wide: true, sorts: 'age', cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: ({ id, name }) => (/^[a-z0-9_-]+$/.test(name) ? name : id),
    async page(one, { t, words, table, may }) {
      const jobs = await table('job', { resource: one.id, limit: 8 })
      const more = [
        { title: words.rotate, operation: 'database.rotate-password' },
        ...(one.engine === 'mariadb' ? [{ title: words.addUser, operation: 'database-user.create' }] : []),
      ]
      return {
        title: one.name,
        status: effectiveBadge(t, one),
        more: one.deletedAt === null ? more.filter(({ operation }) => may(operation)) : [],
        sections: [
          {
            title: t.job.about,
            facts: [
              { title: label(t, 'tenant'), ...tenantCell(one) },
              { title: words.fields.databaseUser, code: one.name },
              { title: words.fields.socket, code: sockets[one.engine] },
              { title: words.fields.engine, text: one.engine },
              { title: words.fields.collation, code: one.collation },
              {
                title: words.fields.usedMb,
                text: one.usedMb === null ? words.notMeasured : t.format.number(one.usedMb),
              },
              { title: label(t, 'createdAt'), time: one.createdAt },
              ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
              { title: label(t, 'id'), code: one.id },
            ],
          },
          ...(jobs.rows.length > 0 ? [{ title: t.job.recent, table: jobs }] : []),
        ],
      }
    },
  },
  examples: { existing: { name: 'blog' }, create: { tenant: 'bakery', name: 'shop' } },
  stores: { databases: databaseStore },
  migrations: [databases, databaseSizes],
  tables: { databases: { one: 'database', name: ['name'], shows: ['engine', 'text_collation', 'status'] } },
  row: databaseRow,
  counted: ({ databases }) => databases,
  inventory: { of: 'database', rows: ({ databases }) => databases },
  async purge({ databases, enqueue }, moment, atOnce) {
    const found = await databases.expired(moment, atOnce)
    for (const { id, tenantId } of found) await enqueue(databasePurge, { tenant: tenantId, database: id })
    return { jobs: found.length, rows: 0 }
  },
  operations,
})

/** As programs of sites are told it: MariaDB's is a file, PostgreSQL's the directory of one. */
const sockets = { mariadb: '/run/mysqld/mysqld.sock', postgresql: '/run/postgresql' } as const

function tenantCell({ tenantName }: Database) {
  return { text: tenantName, href: `/tenants/${tenantName}` }
}
