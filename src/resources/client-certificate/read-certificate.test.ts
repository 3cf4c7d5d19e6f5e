import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { readCertificate } from './read-certificate.ts'

const now = new Date().toISOString()
const p256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

/** A self-signed certificate by openssl. */
function made(key: readonly string[], more: readonly string[] = []): string {
  const argv = ['req', '-x509', '-newkey', ...key, '-nodes', '-subj', '/CN=ann', '-days', '30', '-keyout', '/dev/null']
  return execFileSync('openssl', [...argv, ...more], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
}

/** The fingerprint as everybody can make it: openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum */
function fingerprintBy(pem: string): string {
  const publicKey = execFileSync('openssl', ['x509', '-noout', '-pubkey'], { input: pem })
  const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: publicKey })
  return execFileSync('sha256sum', { input: der }).toString().slice(0, 64)
}

describe('a certificate to be registered', () => {
  it.each([
    ['P-256', p256],
    ['RSA 2048', ['rsa:2048']],
    ['Ed25519', ['ed25519']],
  ])('is known by the digest of its public key: %s', (_, key) => {
    const pem = made(key)

    expect(readCertificate(pem, now)).toMatchObject({ fingerprint: fingerprintBy(pem) })
  })

  it('ends when it says, and may have lost its line breaks', () => {
    const pem = made(p256).replaceAll('\n', ' ')
    const read = readCertificate(pem, now)

    const days = typeof read === 'string' ? 0 : (Date.parse(read.expiresAt) - Date.parse(now)) / 86_400_000
    expect(days).toBeGreaterThan(29)
    expect(days).toBeLessThan(31)
    expect(readCertificate(pem, new Date(Date.parse(now) + 40 * 86_400_000).toISOString())).toBe('has expired')
  })

  it.each([
    ['RSA of 1024 bits', () => made(['rsa:1024']), /too weak/],
    ['a curve of 192 bits', () => made(['ec', '-pkeyopt', 'ec_paramgen_curve:prime192v1']), /too weak/],
    ['its private key beside it', () => `${made(p256)}-----BEGIN PRIVATE KEY-----\n`, /private key/],
    ['two at once', () => made(p256) + made(p256), /not one certificate/],
    ['nothing', () => '', /not one certificate/],
    [
      'no certificate inside',
      () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      /not one certificate/,
    ],
  ])('is refused: %s', (_, pem, problem) => {
    expect(readCertificate(pem(), now)).toMatch(problem)
  })
})
