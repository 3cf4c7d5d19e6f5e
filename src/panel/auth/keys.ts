/** The panel's secrets, all derived from `panel.key`, so that one key is kept, backed up and rotated. */
import { createHmac, hkdfSync } from 'node:crypto'

export interface PanelKeys {
  /** Binds form tokens to a visitor's cookie. */
  readonly csrf: Buffer
  /** Chains the audit entries. */
  readonly audit: Buffer
  /** Encrypts secrets in the store. */
  readonly seal: Buffer
  /** Digests codes that are too short to be hashed without a key. */
  readonly codes: Buffer
  /** From which the keys of access tokens are derived, one for each period. */
  readonly tokens: Buffer
  /** Makes the values by which owners of domains prove that a name is theirs. */
  readonly domains: Buffer
  /** Signs the cookie of a browser that somebody has signed in with. */
  readonly devices: Buffer
}

/** @param hex content of `panel.key`: 32 random bytes in hexadecimal. */
export function deriveKeys(hex: string): PanelKeys {
  const text = hex.trim()
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new Error('Cannot use panel.key: expected 64 hexadecimal digits')
  const secret = Buffer.from(text, 'hex')
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `wcp360/panel/${purpose}`, 32))
  return {
    csrf: derive('csrf'),
    audit: derive('audit'),
    seal: derive('seal'),
    codes: derive('codes'),
    tokens: derive('tokens'),
    domains: derive('domains'),
    devices: derive('devices'),
  }
}

export function keyedDigest(key: Buffer, ...parts: readonly string[]): string {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(`${Buffer.byteLength(part)}:${part}`)
  return mac.digest('base64url')
}
