/** Sessions by SSH and SFTP that are open. */
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { OpenSession } from './schema.ts'

export const sshSession = defineKind({
  name: 'ssh-session',
  words: {
    one: 'SSH session',
    many: 'SSH sessions',
    lede: 'Who is signed in by SSH or SFTP now.',
    none: 'Nobody is signed in',
    noneText: 'A session appears here as soon as a key has let somebody in.',
    fields: { from: 'From', openedAt: 'Since', sshSession: 'SSH session', unknownKey: 'a key that was deleted' },
  },
  path: '/ssh-sessions',
  menu: { group: 'hosting', icon: 'key' },
  parent: 'tenant',
  item: OpenSession,
  columns: ({ t, words, about }) => [
    {
      title: t.kinds['ssh-key']?.one ?? '',
      cell: ({ key, keyId }) =>
        keyId === null ? { text: words.fields.unknownKey } : { text: key ?? '', href: `/ssh-keys/${keyId}` },
    },
    ...(about === 'tenant'
      ? []
      : [
          {
            title: label(t, 'tenant'),
            cell: ({ tenantName }: OpenSession) => ({ text: tenantName, href: `/tenants/${tenantName}` }),
          },
        ]),
    { title: words.fields.from, cell: ({ from }) => ({ code: from ?? '–' }) },
    { title: words.fields.openedAt, cell: ({ openedAt }) => ({ time: openedAt }) },
    {
      title: t.account.action,
      hidden: true,
      number: true,
      cell: ({ id, from }) => ({
        text: t.account.end,
        href: `/do/ssh-session.end?sshSession=${id}`,
        label: from ?? id,
      }),
    },
  ],
  examples: { end: { sshSession: '3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e' } },
  operations,
})
