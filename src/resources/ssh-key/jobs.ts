/** The jobs of an SSH key. */
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import { canonicalRange } from '../../lib/address-range.ts'

const types = [
  ...['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ...['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'],
]

/** Type and body of a public key, as sshd(8) reads them: no options before them, and no comment after them. */
export const SshPublicKey = z
  .string()
  .max(2000, { error: 'at most 2000 characters' })
  .refine(isWhole, { error: 'a public key such as "ssh-ed25519 AAAA…", without options' })

export const SshKeyName = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][\w.@+ -]{0,63}$/, { error: '1 to 64 letters, digits, spaces or . _ @ + -' })

/** In its one writing: nothing in it ends a list, a quotation or a line of keys. */
const KeyAddress = z.string().max(50).refine(isCanonical, { error: 'an address or a range such as 203.0.113.0/24' })

/** When and from where a key lets in; left out: for ever, from everywhere. */
export const keyTerms = {
  expiresAt: z.iso.datetime().exactOptional(),
  addresses: z.array(KeyAddress).min(1).max(50).exactOptional(),
}

/** All of them are written into one file. */
export const mostOfTenant = 50

const about = { tenant: Id, 'ssh-key': Id }
const common = { kind: 'ssh-key', destructive: false, brake: 'changes', timeoutSeconds: 60 } as const

export const sshKeyApply = defineJob({
  ...common,
  type: 'ssh-key.create',
  payload: z.strictObject({ ...about, name: SshKeyName, key: SshPublicKey, ...keyTerms }),
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

export const sshKeyRemove = defineJob({
  ...common,
  type: 'ssh-key.delete',
  payload: z.strictObject(about),
  status: { queued: 'deleting', succeeded: 'purged', failed: 'previous' },
})

function isCanonical(text: string): boolean {
  const read = canonicalRange(text)
  return 'range' in read && read.range === text
}

/** The body names the same type (RFC 4253, 6.6), is canonical base64, and holds more than that name. */
function isWhole(text: string): boolean {
  const [type = '', body = '', ...rest] = text.split(' ')
  if (!types.includes(type) || rest.length > 0) return false
  const blob = Buffer.from(body, 'base64')
  if (blob.toString('base64') !== body || blob.length < 4 + type.length + 32) return false
  return blob.readUInt32BE(0) === type.length && blob.toString('latin1', 4, 4 + type.length) === type
}
