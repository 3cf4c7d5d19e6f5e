/** The conditions themselves: every store puts them into its queries, and what they leave out is not found. */
import {
  DummyDriver,
  type Expression,
  Kysely,
  type SqlBool,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { expect, it } from 'vitest'
import { Id } from '../contract/values.ts'
import type { Database } from '../store/database.ts'
import { everything, packageWithin, resellerWithin, type Scope, tenantWithin, userWithin } from './scope.ts'

const [tenant, reseller, user] = ['1', '2', '3'].map((digit) =>
  Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`),
) as [Id, Id, Id]
const ofReseller: Scope = { kind: 'reseller', reseller, user }
const ofCustomer: Scope = { kind: 'local', tenant, user }

const db = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (one) => new SqliteIntrospector(one),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** As SQL with its values in their places, without quotes. */
function said(condition: Expression<SqlBool>): string {
  const { sql, parameters } = db.selectFrom('users').select('users.id').where(condition).compile()
  const [, text = ''] = sql.replaceAll('"', '').split(' from users where ')
  return parameters.reduce<string>((left, value) => left.replace('?', String(value)), text)
}

it.each<[string, (scope: Scope) => Expression<SqlBool>, string, string]>([
  ['tenants', tenantWithin, `tenants.reseller_id = ${reseller}`, `tenants.id = ${tenant}`],
  [
    'packages',
    packageWithin,
    `packages.reseller_id = ${reseller}`,
    `packages.id in (select tenants.package_id from tenants where tenants.id = ${tenant})`,
  ],
  ['users', userWithin, `(users.id = ${user} or tenants.reseller_id = ${reseller})`, `users.id = ${user}`],
  ['resellers', resellerWithin, `resellers.id = ${reseller}`, 'false'],
])('%s are all to staff, their own to a reseller, and one to a customer', (_, within, resellers, customers) => {
  expect([everything, ofReseller, ofCustomer].map((scope) => said(within(scope)))).toEqual([
    'true',
    resellers,
    customers,
  ])
})
