import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openText, sealText } from './sealed-text.ts'

const key = randomBytes(32)
const place = { table: 'people', row: '1', column: 'secret' }
const secret = Buffer.from('a canary')

describe('sealText', () => {
  it('is opened where it stands, with its key', () => {
    expect(openText(key, place, sealText(key, place, secret))).toEqual(secret)
  })

  it('hides the secret, and looks different each time', () => {
    const [one, other] = [sealText(key, place, secret), sealText(key, place, secret)]

    expect(one).not.toBe(other)
    expect(Buffer.from(one.split('.')[2] ?? '', 'base64url').includes(secret)).toBe(false)
  })

  it.each([
    ['another row', { ...place, row: '2' }],
    ['another column', { ...place, column: 'other' }],
    ['another table', { ...place, table: 'keys' }],
  ])('is not opened in %s', (_, elsewhere) => {
    const sealed = sealText(key, place, secret)

    expect(() => openText(key, elsewhere, sealed)).toThrow()
  })

  it('is not opened with another key, or when a bit was changed', () => {
    const sealed = sealText(key, place, secret)
    const [version, id, body = ''] = sealed.split('.')
    const bytes = Buffer.from(body, 'base64url')
    bytes[14] = (bytes[14] ?? 0) ^ 1

    expect(() => openText(randomBytes(32), place, sealed)).toThrow('another key')
    expect(() => openText(key, place, `${version}.${id}.${bytes.toString('base64url')}`)).toThrow()
  })
})
