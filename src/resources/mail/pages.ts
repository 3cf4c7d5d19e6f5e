/** Mails as people see them. */
import { statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Mail } from './schema.ts'

export function mailTable(t: Texts, mails: readonly Mail[]): Table {
  return {
    caption: t.mails.title,
    columns: [
      { title: label(t, 'to') },
      { title: label(t, 'kind') },
      { title: label(t, 'state') },
      { title: label(t, 'createdAt'), wide: true },
      { title: t.mails.retry, hidden: true, number: true },
    ],
    rows: mails.map(({ id, to, kind, state, error, createdAt }) => [
      { text: to, ...(error !== null && { sub: error }) },
      { text: t.mails.kinds[kind] },
      { badge: statusBadge(state === 'sent' ? 'succeeded' : state, t.mails.states) },
      { time: createdAt },
      state === 'failed' ? { text: t.mails.retry, href: `/do/mail.retry?mail=${id}`, label: to } : { text: '' },
    ]),
  }
}
