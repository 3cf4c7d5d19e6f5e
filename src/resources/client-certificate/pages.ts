/** Client certificates as their owner sees them. */
import type { Table } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import type { ClientCertificate } from './schema.ts'

/** @param back the page to return to after one was taken away */
export function certificateTable(t: Texts, certificates: readonly ClientCertificate[], back: string): Table {
  return {
    caption: t.certificates.title,
    columns: [
      { title: t.fields.name ?? '' },
      { title: t.certificates.expires },
      { title: t.certificates.lastUsed },
      { title: t.account.action, hidden: true, number: true },
    ],
    rows: certificates.map(({ id, name, fingerprint, expiresAt, lastUsedAt }) => [
      { text: name, sub: `SHA-256 ${fingerprint.slice(0, 16)}…` },
      { text: expiresAt.slice(0, 10) },
      lastUsedAt === null ? { text: t.certificates.never } : { time: lastUsedAt },
      {
        text: t.certificates.remove,
        href: `/do/client-certificate.delete?certificate=${id}&_back=${encodeURIComponent(back)}`,
        label: name,
      },
    ]),
  }
}
