/** TLS certificates with which a person signs in beside the password. */
import { query } from '../../lib/safe-url.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { ClientCertificate } from './schema.ts'
import { clientCertificateStore } from './store.ts'

const path = '/account/certificates'

export const clientCertificate = defineKind({
  name: 'client-certificate',
  words: { one: 'certificate', many: 'Sign-in certificates' },
  path,
  item: ClientCertificate,
  columns: ({ t }) => [
    {
      title: label(t, 'name'),
      cell: ({ name, fingerprint }) => ({ text: name, sub: `SHA-256 ${fingerprint.slice(0, 16)}…` }),
    },
    { title: t.certificates.expires, cell: ({ expiresAt }) => ({ time: expiresAt }) },
    {
      title: t.certificates.lastUsed,
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? { text: t.certificates.never } : { time: lastUsedAt }),
    },
    {
      title: t.account.action,
      hidden: true,
      number: true,
      cell: ({ id, name }) => ({
        text: t.certificates.remove,
        href: `/do/client-certificate.delete${query({ certificate: id, _back: path })}`,
        label: name,
      }),
    },
  ],
  stores: { clientCertificates: clientCertificateStore },
  operations,
})
