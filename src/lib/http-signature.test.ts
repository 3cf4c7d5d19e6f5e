import { describe, expect, it } from 'vitest'
import {
  contentDigest,
  hmacSignature,
  isSignedBy,
  readSignature,
  signatureBase,
  signatureHeaders,
} from './http-signature.ts'

describe("the standard's own examples", () => {
  it('RFC 9421 §B.2.5: a request signed with hmac-sha256', () => {
    const key = Buffer.from(
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
      'base64',
    )
    const values = new Map([
      ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['@authority', 'example.com'],
      ['content-type', 'application/json'],
    ])
    const parameters = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    const signature = 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8='

    const base = signatureBase([...values.keys()], values, parameters)

    expect(hmacSignature(key, base).toString('base64')).toBe(signature)
    expect(isSignedBy(key, base, Buffer.from(signature, 'base64'))).toBe(true)
    expect(isSignedBy(key, `${base} `, Buffer.from(signature, 'base64'))).toBe(false)
  })

  it('RFC 9530: the digest of a body', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    )
  })
})

const signature = `sig=:${'A'.repeat(43)}=:`

describe('what a signature says of itself', () => {
  it('is read', () => {
    const parameters =
      '("@method" "@path");created=1618884473;expires=1618884500;nonce="n-1";keyid="k";alg="hmac-sha256"'

    expect(readSignature(`sig=${parameters}`, signature)).toEqual({
      components: ['@method', '@path'],
      created: 1618884473,
      expires: 1618884500,
      nonce: 'n-1',
      keyId: 'k',
      parameters,
      signature: Buffer.alloc(32),
    })
  })

  it('is made over everything that a request says', () => {
    const body = Buffer.from('{"name":"basic"}')
    const request = { method: 'POST', authority: 'panel.example:8360', target: '/api/v1/packages?plan=1', body }

    const made = { keyId: 'wcp_0123456789', created: 1, nonce: 'n' }
    const headers = signatureHeaders(`wcp_0123456789${'k'.repeat(47)}`, request, made)

    const read = readSignature(String(headers['signature-input']), String(headers.signature))
    expect(read).toMatchObject({ created: 1, nonce: 'n', keyId: 'wcp_0123456789' })
    expect(read?.components).toEqual(['@method', '@authority', '@path', '@query', 'content-digest'])
    const values = new Map([
      ...[['@method', 'POST'] as const, ['@authority', 'panel.example:8360'] as const],
      ...[['@path', '/api/v1/packages'] as const, ['@query', '?plan=1'] as const],
      ['content-digest', contentDigest(body)] as const,
    ])
    const base = signatureBase(read?.components ?? [], values, read?.parameters ?? '')
    expect(isSignedBy(Buffer.from(`wcp_0123456789${'k'.repeat(47)}`), base, read?.signature ?? Buffer.alloc(0))).toBe(
      true,
    )
    expect(Object.values(headers).join()).not.toContain('kkk')
  })

  const good = '("@method");created=1;nonce="n";keyid="k"'
  it.each([
    ['', signature],
    [`sig=${good}`, ''],
    [`sig=${good}`, signature.replace('sig', 'other')],
    [`sig=${good}, two=${good}`, signature],
    [`sig=${good}`, `${signature}, two${signature.slice(3)}`],
    [`sig=${good};created=2`, signature],
    [`sig=${good};keyid="other"`, signature],
    [`sig=${good};alg="rsa-v1_5-sha256"`, signature],
    [`sig=${good};alg=hmac-sha256`, signature],
    [`sig=${good};unknown="x"`, signature],
    ['sig=("@method" "@method");created=1;nonce="n";keyid="k"', signature],
    ['sig=("@query-param";name="x");created=1;nonce="n";keyid="k"', signature],
    ['sig=("@method";req);created=1;nonce="n";keyid="k"', signature],
    ['sig=("@method");created=1;nonce="n"', signature],
    ['sig=("@method");created=1;keyid="k"', signature],
    ['sig=("@method");nonce="n";keyid="k"', signature],
    ['sig=("@method");created=-1;nonce="n";keyid="k"', signature],
    ['sig=("@method");created=1.5;nonce="n";keyid="k"', signature],
    ['sig=("@method");created=1;nonce="";keyid="k"', signature],
    [`sig=${good}\n`, signature],
    [`sig=${good}`, `sig=:${'A'.repeat(40)}:`],
  ])('is nothing in %j with %j', (header, value) => {
    expect(readSignature(header, value)).toBeNull()
  })
})
