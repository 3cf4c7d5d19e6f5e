import { expect, it } from 'vitest'
import { SshPublicKey } from './jobs.ts'

const body = 'AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7'

it('takes a public key', () => {
  expect(SshPublicKey.safeParse(`ssh-ed25519 ${body}`).success).toBe(true)
})

it.each([
  ['options before it', `command="id" ssh-ed25519 ${body}`],
  ['a comment after it', `ssh-ed25519 ${body} me@laptop`],
  ['a second line', `ssh-ed25519 ${body}\nssh-ed25519 ${body}`],
  ['another type than its body has', `ssh-rsa ${body}`],
  ['a type that sshd no longer takes', `ssh-dss ${body}`],
  ['a body that is cut off', `ssh-ed25519 ${body.slice(0, 24)}`],
  ['a body that is not canonical', `ssh-ed25519 ${body}=`],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
])('refuses %s', (_, text) => {
  expect(SshPublicKey.safeParse(text).success).toBe(false)
})
