/** Chains of certificates as authorities hand them out: the same judgement on both sides of the root line. */
import { X509Certificate } from 'node:crypto'

/** An authority's chain has 2 or 3; each is 1 to 3 KB. */
const mostCertificates = 8
export const longestChain = 24_000
const block = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g
const serverAuth = '1.3.6.1.5.5.7.3.1'
/** Clocks of authorities and machines differ. */
const clockSlackMs = 10 * 60_000

/** The certificates of a text, written anew: nothing else of it is left. @returns null: there is something else in it */
export function parseChain(text: string): readonly X509Certificate[] | null {
  if (text.length > longestChain || text.replaceAll(block, '').trim() !== '') return null
  try {
    const found = (text.match(block) ?? []).map((pem) => new X509Certificate(pem))
    return found.length > 0 && found.length <= mostCertificates ? found : null
  } catch {
    return null
  }
}

export function chainText(chain: readonly X509Certificate[]): string {
  return chain.map(String).join('')
}

export function bears(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name, { subject: 'never' }) !== undefined
}

/** The reason why a server cannot show the chain for these names at that moment; undefined when it can. */
export function chainProblem(
  chain: readonly X509Certificate[],
  { names, now }: { names: readonly string[]; now: Date },
): string | undefined {
  const [leaf, ...issuers] = chain
  if (leaf === undefined) return 'it holds no certificate'
  if (leaf.ca) return 'its first certificate is an authority’s, not a server’s'
  if (issuers.length === 0)
    return 'the certificate of its issuer is missing: the chain goes up to the authority’s root or ends right below it'
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(serverAuth)) return 'it is not for servers'
  for (const [place, issuer] of issuers.entries()) {
    const issued = chain[place] ?? leaf
    if (!issuer.ca || !issued.checkIssued(issuer) || !issued.verify(issuer.publicKey))
      return `certificate ${place + 2} did not issue certificate ${place + 1}: the chain is not in order`
  }
  const foreign = chain.find((one) => one.validFromDate.getTime() > now.getTime() + clockSlackMs)
  if (foreign !== undefined) return `it is not valid before ${foreign.validFromDate.toISOString()}`
  const ended = chain.find((one) => one.validToDate <= now)
  if (ended !== undefined) return `it was valid until ${ended.validToDate.toISOString()}`
  const missing = names.filter((name) => !bears(leaf, name))
  if (missing.length > 0) return `it does not name ${missing.join(', ')}`
  return undefined
}
