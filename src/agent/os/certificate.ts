import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { execOk } from './exec.ts'

export interface KeyPair {
  /** PEM, both. */
  readonly certificate: string
  readonly key: string
}

/** Ten years: it stands for nobody, is trusted by nobody, and is replaced by a real one, not renewed. */
const days = 3650

/** A certificate that signs itself, for the time before there is a real one. Both parts come by pipe: no key touches a disk here. */
export async function selfSignedCertificate(host: string): Promise<KeyPair> {
  const { stdout } = await execOk('/usr/bin/openssl', opensslArguments(host))
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(stdout)?.[0]
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(stdout)?.[0]
  if (key === undefined || certificate === undefined) throw new Error('Cannot make a certificate: openssl printed none')
  return { certificate: new X509Certificate(certificate).toString(), key }
}

function opensslArguments(host: string): string[] {
  const name = /^[A-Za-z0-9.:-]{1,253}$/.test(host) ? host : 'localhost'
  const alternative = `subjectAltName=${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`
  // the common name is limited to 64 characters (RFC 5280); browsers read the alternative name only
  const subject = `/CN=${name.slice(0, 64)}`
  return [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-sha256'],
    ...['-days', String(days), '-subj', subject, '-addext', alternative],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth'],
    ...['-keyout', '-', '-out', '-'],
  ]
}
