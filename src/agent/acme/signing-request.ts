import type { Fqdn } from '../../contract/values.ts'
import { execOk } from '../os/exec.ts'

/** PKCS #10 (RFC 2986) for all these names, with the key at that place. @returns PEM */
export async function signingRequest(keyPath: string, names: readonly Fqdn[]): Promise<string> {
  const alternatives = names.map((name) => `DNS:${name}`).join(',')
  const { stdout } = await execOk('/usr/bin/openssl', [
    ...['req', '-new', '-sha256', '-key', keyPath, '-subj', '/'],
    ...['-addext', `subjectAltName=${alternatives}`],
  ])
  const pem = /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----\n/.exec(stdout)?.[0]
  if (pem === undefined) throw new Error('Cannot make a certificate request: openssl printed none')
  return pem
}

/** Base64url of its DER, as RFC 8555, 7.4 wants it. */
export function derOf(pem: string): string {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url')
}
