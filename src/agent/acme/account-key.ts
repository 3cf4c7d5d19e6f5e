/** The key of this machine's accounts with certification authorities, one for all of them. It is in the root side alone (B11). */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { Machine } from '../os/machine.ts'
import { newKey } from '../steps/private-key.ts'

export interface AccountKey {
  readonly jwk: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  /** RFC 7638. */
  readonly thumbprint: string
  /** ES256 (RFC 7518, 3.4), base64url. */
  sign(text: string): string
}

/** Made when it is first asked for. */
export async function accountKey({ files, places }: Pick<Machine, 'files' | 'places'>): Promise<AccountKey> {
  const known = await files.readText(places.acmeKey)
  if (known !== undefined) return accountKeyOf(createPrivateKey(known))
  const made = newKey()
  await files.writeFile(places.acmeKey, made, { mode: 0o600, uid: 0, gid: 0 })
  return accountKeyOf(createPrivateKey(made))
}

function accountKeyOf(key: KeyObject): AccountKey {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  const jwk = { kty: 'EC', crv: 'P-256', x, y } as const
  // the members in the order of their names (RFC 7638, 3)
  const canonical = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x, y })
  return {
    jwk,
    thumbprint: createHash('sha256').update(canonical).digest('base64url'),
    sign: (text) => sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  }
}
