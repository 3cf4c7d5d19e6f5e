/** Users that a database has beside the one of its name. */
import { statusBadge } from '../../lib/page-model.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { ownedRow } from '../owned-row.ts'
import * as operations from './operations.ts'
import { DatabaseUser, databaseUserStore, databaseUsers } from './store.ts'

export const databaseUser = defineKind({
  name: 'database-user',
  words: {
    one: 'database user',
    many: 'Database users',
    lede: 'Users of databases with rights of their own, beside those of the databases’ names.',
    add: 'New database user',
    none: 'No other users yet',
    noneText: 'A database has a user of its own name; another one may only read, or change rows or tables.',
    rotate: 'New password',
    fields: { access: 'May', databaseName: 'Database' },
    accesses: { read: 'read', write: 'read and write rows', all: 'read, write, and change tables' },
  },
  path: '/database-users',
  menu: { group: 'hosting', icon: 'database' },
  parent: 'database',
  list: { filters: ['database'] },
  item: DatabaseUser,
  columns: ({ t, words, about }) => [
    { title: label(t, 'name'), cell: ({ id, name }) => ({ text: name, href: `/database-users/${id}` }) },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status, t.statuses) }) },
    { title: label(t, 'access'), cell: ({ access }) => ({ text: words.accesses[access] }) },
    ...(about === 'database' ? [] : [{ title: label(t, 'databaseName'), wide: true, cell: databaseCell }]),
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: ({ id }) => id,
    page: async (one, { t, words }) => ({
      title: one.name,
      status: statusBadge(one.status, t.statuses),
      more: [{ title: words.rotate, operation: 'database-user.rotate-password' }],
      sections: [
        {
          title: t.job.about,
          facts: [
            { title: label(t, 'databaseName'), ...databaseCell(one) },
            { title: label(t, 'access'), text: words.accesses[one.access] },
            { title: label(t, 'createdAt'), time: one.createdAt },
            { title: label(t, 'id'), code: one.id },
          ],
        },
      ],
    }),
  },
  examples: { existing: { name: 'reader' }, create: { database: 'blog', name: 'writer', access: 'write' } },
  stores: { databaseUsers: databaseUserStore },
  migrations: [databaseUsers],
  tables: { database_users: { one: 'database user', name: ['name'], shows: ['access', 'status'] } },
  row: ownedRow('database_users', 'name', []),
  inventory: { of: 'database-user', rows: ({ databaseUsers }) => databaseUsers },
  operations,
})

function databaseCell({ databaseId, databaseName }: DatabaseUser) {
  return { text: databaseName, href: `/databases/${databaseId}` }
}
