import type { X509Certificate } from 'node:crypto'
import { chainText } from '../../lib/certificate-chain.ts'

/** What is told of a chain that is served. */
export function servedOf(chain: readonly X509Certificate[]) {
  const [leaf] = chain
  if (leaf === undefined) throw new Error('a chain holds a certificate')
  const names = (leaf.subjectAltName ?? '').split(', ').flatMap((one) => (one.startsWith('DNS:') ? [one.slice(4)] : []))
  const issuer = /^(?:O|CN)=(.*)$/m.exec(leaf.issuer)?.[1] ?? leaf.issuer
  return {
    chain: chainText(chain),
    names,
    issuer: issuer.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
  }
}
