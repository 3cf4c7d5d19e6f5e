/** Letters of the panel to people. */
import { statusBadge } from '../../lib/page-model.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { failedMails } from './conditions.ts'
import * as operations from './operations.ts'
import { Mail } from './schema.ts'
import { mailStore } from './store.ts'
import { letters } from './words.ts'

export const mail = defineKind({
  name: 'mail',
  words: {
    one: 'mail',
    many: 'Mail',
    lede: 'What the panel has written, and what no server took.',
    none: 'No mails',
    noneText: 'Invitations and links to new passwords appear here.',
    retry: 'Try again',
    kinds: {
      invitation: 'invitation',
      'password-reset': 'new password',
      verification: 'address',
      'address-changed': 'notice',
      conditions: 'attention',
      certificates: 'certificates',
      test: 'test',
    },
    states: { queued: 'waiting', succeeded: 'sent', failed: 'failed' },
    letters,
  },
  path: '/mails',
  menu: { group: 'settings', icon: 'mail' },
  item: Mail,
  columns: ({ t, words }) => [
    { title: label(t, 'to'), cell: ({ to, error }) => ({ text: to, ...(error !== null && { sub: error }) }) },
    { title: label(t, 'kind'), cell: ({ kind }) => ({ text: words.kinds[kind] }) },
    {
      title: label(t, 'state'),
      cell: ({ state }) => ({ badge: statusBadge(state === 'sent' ? 'succeeded' : state, words.states) }),
    },
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
    {
      title: words.retry,
      hidden: true,
      number: true,
      cell: ({ id, to, state }) =>
        state === 'failed' ? { text: words.retry, href: `/do/mail.retry?mail=${id}`, label: to } : { text: '' },
    },
  ],
  conditions: [failedMails],
  stores: { mails: mailStore },
  operations,
})
