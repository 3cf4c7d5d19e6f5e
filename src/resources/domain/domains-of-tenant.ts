import type { Counted } from '../package/allowance.ts'

export const domainsOfTenant: Counted = {
  limit: 'maxDomains',
  one: 'domain',
  many: 'domains',
  count: ({ tenants }, tenant) => tenants.countDomains(tenant),
}
