/** Keys by which the panel sets records in the DNS, so that names are proven there. */
import { type Badge, statusBadge } from '../../lib/page-model.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { DnsKey } from './schema.ts'
import { dnsKeyStore, dnsKeys } from './store.ts'

const words = {
  one: 'DNS key',
  many: 'DNS keys',
  lede: 'By these keys the panel sets records in the DNS: domains get certificates also while they do not lead to this server.',
  add: 'New DNS key',
  none: 'No DNS keys',
  noneText: 'A key lets the panel prove names in the DNS, where your name server takes dynamic updates (RFC 2136).',
  works: 'works',
  refused: 'refused',
  untried: 'not tried yet',
  test: 'Try it now',
  forAll: 'Everybody’s',
  whose: 'Whose domains',
  fields: {
    dnsKey: 'DNS key',
    keyName: 'Name of the key',
    algorithm: 'Algorithm',
    zones: 'Zones',
    servers: 'Name servers',
    checkedAt: 'Last used',
  },
}
type Words = typeof words

export const dnsKey = defineKind({
  name: 'dns-key',
  words,
  path: '/dns-keys',
  menu: { group: 'hosting', icon: 'key' },
  parent: 'tenant',
  item: DnsKey,
  columns: ({ t, words, about }) => [
    {
      title: words.fields.keyName,
      cell: ({ id, keyName, servers }) => ({ text: keyName, href: `/dns-keys/${id}`, sub: servers.join(', ') }),
    },
    { title: label(t, 'status'), cell: (one) => ({ badge: badgeOf(one, words) }) },
    { title: words.fields.zones, wide: true, cell: ({ zones }) => ({ text: zones.join(', ') }) },
    ...(about === 'tenant' ? [] : [{ title: words.whose, wide: true, cell: (one: DnsKey) => whose(one, words) }]),
  ],
  detail: {
    ref: ({ id }) => id,
    page: async (one, { t, words, may }) => ({
      title: one.keyName,
      status: badgeOf(one, words),
      more: may('dns-key.test') ? [{ title: words.test, operation: 'dns-key.test' }] : [],
      sections: [
        {
          title: t.job.about,
          facts: [
            ...(one.problem === null ? [] : [{ title: label(t, 'problem'), text: one.problem }]),
            { title: words.whose, ...whose(one, words) },
            { title: words.fields.zones, text: one.zones.join(', ') },
            { title: words.fields.servers, code: one.servers.join(', ') },
            { title: words.fields.algorithm, code: one.algorithm },
            ...(one.checkedAt === null ? [] : [{ title: words.fields.checkedAt, time: one.checkedAt }]),
            { title: label(t, 'createdAt'), time: one.createdAt },
            { title: label(t, 'id'), code: one.id },
          ],
        },
      ],
    }),
  },
  examples: {
    create: {
      tenant: 'bakery',
      keyName: 'wcp360.example.com',
      secret: 'c2VjcmV0IG9mIHRoZSBleGFtcGxlLCBmb3Igbm9ib2R5',
      zones: ['bakery.example.com'],
      servers: ['9.9.9.9'],
    },
  },
  stores: { dnsKeys: (db, material) => dnsKeyStore(db, material, material.keys.seal) },
  migrations: [dnsKeys],
  tables: {
    dns_keys: {
      one: 'DNS key',
      name: ['name'],
      shows: ['name', 'tenant_id', 'reseller_id', 'algorithm', 'zones', 'servers', 'next_check_at'],
      secret: ['secret'],
    },
    dns_records: { one: 'record in the DNS', name: ['name'] },
  },
  operations,
})

function badgeOf({ checkedAt, problem }: DnsKey, words: Words): Badge {
  if (problem !== null) return { text: words.refused, tone: 'bad' }
  return checkedAt === null ? { text: words.untried, tone: 'idle' } : { ...statusBadge('active'), text: words.works }
}

function whose({ tenantName, resellerEmail }: DnsKey, { forAll }: Words) {
  if (tenantName !== null) return { text: tenantName, href: `/tenants/${tenantName}` }
  return { text: resellerEmail ?? forAll }
}
