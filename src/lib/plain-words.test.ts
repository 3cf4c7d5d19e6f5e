import { expect, it } from 'vitest'
import { plainWords } from './plain-words.ts'

it('says customer and plan, and leaves names and commands in quotes alone', () => {
  expect(plainWords('Cannot delete tenant "tenant": it is the package’s last')).toBe(
    'Cannot delete customer "tenant": it is the plan’s last',
  )
  expect(plainWords('Delete those tenants first; "wcp tenant list" names them. Tenants in “a package” count.')).toBe(
    'Delete those customers first; "wcp tenant list" names them. Customers in “a package” count.',
  )
  expect(plainWords('directory /srv/tenants/acme of the tenant')).toBe('directory /srv/tenants/acme of the customer')
  expect(plainWords('job.failed, tenant.create, package.*, or * for a tenant.')).toBe(
    'job.failed, tenant.create, package.*, or * for a customer.',
  )
  expect(plainWords('a whole number, or null for no limit')).toBe('a whole number, or empty for no limit')
})
