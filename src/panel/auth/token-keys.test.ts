import { sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { tokenKeys } from './token-keys.ts'

const day = 86_400_000
const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const publicOf = (secret: Buffer, now: number) =>
  tokenKeys(secret, () => now)
    .signing()
    .publicKey.export({ format: 'pem', type: 'spki' })

describe('the keys of access tokens', () => {
  it('are Ed25519 pairs', () => {
    const { privateKey, publicKey } = tokenKeys(one).signing()

    expect([privateKey.asymmetricKeyType, publicKey.type]).toEqual(['ed25519', 'public'])
    expect(verify(null, Buffer.from('x'), publicKey, sign(null, Buffer.from('x'), privateKey))).toBe(true)
  })

  it('are the same after a restart, and others for another panel', () => {
    expect(publicOf(one, 0)).toBe(publicOf(one, day))
    expect(publicOf(one, 0)).not.toBe(publicOf(other, 0))
  })

  it('change every thirty days, and the last one is still believed', () => {
    let now = 29 * day
    const keys = tokenKeys(one, () => now)
    const first = keys.signing()
    now = 30 * day
    const second = keys.signing()

    expect([first.kid, second.kid]).toEqual(['0', '1'])
    expect(keys.verifying('0')?.publicKey.equals(first.publicKey)).toBe(true)
    expect(keys.verifying('1')?.publicKey.equals(second.publicKey)).toBe(true)
    expect(second.publicKey.equals(first.publicKey)).toBe(false)
    now = 60 * day
    expect(keys.verifying('0')).toBeUndefined()
  })

  it.each([undefined, '', '-1', '2', '01', '1.0', '../1', 'constructor'])('are none by the name %j', (kid) => {
    expect(tokenKeys(one, () => 30 * day).verifying(kid)).toBeUndefined()
  })
})
