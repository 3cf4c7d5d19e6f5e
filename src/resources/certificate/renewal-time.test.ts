import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { byAge, renewalId, within } from './renewal-time.ts'

/** The example of RFC 9773, appendix A. */
const example = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`)

it('is named by its issuer’s key and its serial number', () => {
  expect(renewalId(example)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')
})

it('is not named without its issuer’s key', () => {
  expect(renewalId({ raw: Buffer.from('3000', 'hex'), serialNumber: '01' })).toBeNull()
})

const day = (number: number) => new Date(Date.UTC(2030, 0, number))

it('is renewed somewhere within the authority’s window', () => {
  const window = { start: day(1), end: day(3) }

  expect([0, 0.5, 1].map((dice) => within(window, dice))).toEqual([day(1), day(2), day(3)])
})

it('is renewed at two thirds of its life, or up to a twentieth of it sooner', () => {
  const life = { notBefore: day(1), notAfter: day(91) }

  expect([0, 1].map((dice) => byAge(life, dice).getTime())).toEqual([day(61).getTime(), day(56).getTime() + 43_200_000])
})
