/** Public keys with which a tenant's user is let in. */
import { statusBadge } from '../../lib/page-model.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { ownedRow } from '../owned-row.ts'
import * as operations from './operations.ts'
import { SshKey, sshKeyStore, sshKeys, sshKeyTerms } from './store.ts'

export const sshKey = defineKind({
  name: 'ssh-key',
  words: {
    one: 'SSH key',
    many: 'SSH keys',
    lede: 'Public keys with which the Linux users of customers are let in.',
    add: 'New SSH key',
    none: 'No SSH keys yet',
    noneText: 'A key lets whoever has its private half in as the customer’s Linux user.',
    everywhere: 'everywhere',
    never: 'never',
    fields: { fingerprint: 'Fingerprint', publicKey: 'Public key' },
  },
  path: '/ssh-keys',
  menu: { group: 'hosting', icon: 'key' },
  parent: 'tenant',
  item: SshKey,
  columns: ({ t, about }) => [
    {
      title: label(t, 'name'),
      cell: ({ id, name, fingerprint }) => ({ text: name, href: `/ssh-keys/${id}`, sub: fingerprint }),
    },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status, t.statuses) }) },
    ...(about === 'tenant' ? [] : [{ title: label(t, 'tenant'), wide: true, cell: tenantCell }]),
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: ({ id }) => id,
    page: async (one, { t, words }) => ({
      title: one.name,
      status: statusBadge(one.status, t.statuses),
      sections: [
        {
          title: t.job.about,
          facts: [
            { title: label(t, 'tenant'), ...tenantCell(one) },
            { title: label(t, 'fingerprint'), code: one.fingerprint },
            { title: label(t, 'publicKey'), code: one.publicKey },
            {
              title: label(t, 'addresses'),
              text: one.addresses.length === 0 ? words.everywhere : one.addresses.join(', '),
            },
            {
              title: label(t, 'expiresAt'),
              ...(one.expiresAt === null ? { text: words.never } : { time: one.expiresAt }),
            },
            { title: label(t, 'createdAt'), time: one.createdAt },
            { title: label(t, 'id'), code: one.id },
          ],
        },
      ],
    }),
  },
  examples: {
    existing: {
      name: 'desktop',
      publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7',
    },
    create: {
      tenant: 'bakery',
      name: 'laptop',
      publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8cE3lWMQ4kn9mEJ8w5ZyqE0q9qbhVh4Xn1pZ0c6Kxq',
    },
  },
  stores: { sshKeys: sshKeyStore },
  migrations: [sshKeys, sshKeyTerms],
  tables: {
    ssh_keys: {
      one: 'SSH key',
      name: ['name', 'tenant_id'],
      shows: ['fingerprint', 'status', 'addresses', 'expires_at'],
    },
  },
  row: ownedRow('ssh_keys', 'name', []),
  inventory: { of: 'ssh-key', rows: ({ sshKeys }) => sshKeys },
  operations,
})

function tenantCell({ tenantName }: SshKey) {
  return { text: tenantName, href: `/tenants/${tenantName}` }
}
