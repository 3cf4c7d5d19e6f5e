import { expect, it } from 'vitest'
import { DatabaseName } from '../../../contract/database.ts'
import { keepTenantsApart } from './pg-hba.ts'
import { mendedRights, tenants, userQuery } from './pg-rights.ts'

it.each(['shop', 'a$$b', 'a$w$b', 'it`s%$'])('%s does not end the block of code that it is in', (text) => {
  const { text: sql } = mendedRights(DatabaseName.parse(text))

  expect(sql.split('$W$')).toHaveLength(3)
  expect(sql).toContain(`d.datname = '${text}'`)
  expect(DatabaseName.safeParse('a$W$b').success).toBe(false)
})

it('knows the role of all tenants by one name', () => {
  expect(tenants.made.text).toContain(`create role ${tenants.role.text} nologin`)
  expect(userQuery(DatabaseName.parse('shop')).text).toContain(`h.rolname = '${tenants.role.text}'`)
})

it('keeps users of tenants apart by the first three lines alone', () => {
  const lines = [
    ['local', '{sameuser}', '{+wcp360_tenants}', 'scram-sha-256'],
    ['local', '{all}', '{+wcp360_tenants}', 'reject'],
    ['host', '{all}', '{+wcp360_tenants}', 'reject'],
  ]

  expect(keepTenantsApart(lines)).toBe(true)
  expect(keepTenantsApart([['local', '{all}', '{all}', 'trust'], ...lines.slice(0, 2)])).toBe(false)
  expect(keepTenantsApart(lines.slice(0, 2))).toBe(false)
  expect(keepTenantsApart([['local', '{all}', '{+wcp360_tenants}', 'scram-sha-256'], ...lines.slice(1)])).toBe(false)
})
