import { expect, it } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

it('shows only the lines between what both texts share', () => {
  expect(unifiedDiff('/f', 'a\nb\nc\n', 'a\nx\ny\nc\n')).toBe('--- /f\n+++ /f\n@@ -2,1 +2,2 @@\n-b\n+x\n+y')
})

it('shows a new and a removed file as diff does', () => {
  expect(unifiedDiff('/f', undefined, 'a\n')).toBe('--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+a')
  expect(unifiedDiff('/f', 'a\n', undefined)).toBe('--- /f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a')
})

it('is bounded', () => {
  expect(unifiedDiff('/f', undefined, 'x\n'.repeat(50_000)).length).toBeLessThanOrEqual(20_000)
})

it('shows of a private key its fingerprint alone, also where only a part of it differs', () => {
  const key = (body: string) => `a\n-----BEGIN EC PRIVATE KEY-----\n${body}\n-----END EC PRIVATE KEY-----\nb\n`
  const shown = unifiedDiff('/f', key('c2VjcmV0'), key('b3RoZXI='))
  expect(shown).toMatch(/\n-\[private key, SHA-256 [0-9a-f]{64}\]\n\+\[private key, SHA-256 [0-9a-f]{64}\]$/)
  expect(unifiedDiff('/f', undefined, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n')).not.toContain('c2VjcmV0')
})

it.each([
  ['env[DATABASE_URL] = "postgres://shop:hunter2@db/shop"'],
  ['env[PEPPER] = hunter2'],
  ['php_admin_value[mysqli.default_pw] = hunter2'],
  ['; php_value[redis.password] = hunter2'],
  ['db_password=hunter2'],
  ['api_key = hunter2'],
  ['php_value[session.save_path] = "tcp://cache:hunter2@10.0.0.1"'],
  ['proxy_set_header Authorization "Basic hunter2";'],
])('shows that a secret differs, and not the secret: %s', (line) => {
  const shown = unifiedDiff('/f', `a\n${line}\n`, `a\n${line.replace('hunter2', 'hunter3')}\n`)

  expect(shown).toMatch(/\n-.*\[not shown\].*\n\+.*\[not shown\]/)
  expect(shown).not.toContain('hunter')
})

it('shows settings that are no secrets', () => {
  const lines = ['env[PATH] = /bin', 'php_value[memory_limit] = 1G', 'ssl_certificate_key /k.pem;', 'pass = 1']

  expect(unifiedDiff('/f', '', lines.join('\n'))).toBe(
    ['--- /f', '+++ /f', '@@ -0,0 +1,4 @@', ...lines.map((line) => `+${line}`)].join('\n'),
  )
})
