/**
 * The Ed25519 keys that sign access tokens, one for each period of thirty days. All are derived from `panel.key`, so
 * that they change by themselves, nothing more is kept, and a backup of `panel.key` is one of them too.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto'

const periodMs = 30 * 86_400_000

export interface TokenKey {
  /** Number of the period, counted from 1970. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface TokenKeys {
  signing(): TokenKey
  /** This period's or the one before, whose tokens may still live; undefined for any other. */
  verifying(kid: string | undefined): TokenKey | undefined
}

export function tokenKeys(secret: Buffer, now: () => number = Date.now): TokenKeys {
  const known = new Map<number, TokenKey>()
  const period = () => Math.floor(now() / periodMs)

  function ofPeriod(number: number): TokenKey {
    const key = known.get(number) ?? derived(secret, number)
    known.clear()
    known.set(number, key)
    return key
  }

  return {
    signing: () => ofPeriod(period()),
    verifying(kid) {
      const number = [period(), period() - 1].find((one) => String(one) === kid)
      return number === undefined ? undefined : ofPeriod(number)
    },
  }
}

/** The prefix of the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

function derived(secret: Buffer, period: number): TokenKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `wcp360/panel/tokens/${period}`, 32))
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  return { kid: String(period), privateKey, publicKey: createPublicKey(privateKey) }
}
