import { describe, expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import { newDeviceHeader, readDevice } from './device-cookie.ts'

const key = Buffer.alloc(32, 1)
const user = Id.parse('3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e')
const other = '4f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e'
const day = 86_400_000
const made = newDeviceHeader(key, user, 0)
const [cookie = ''] = made.split(';')

describe('the cookie of a device', () => {
  it('is read for half a year, beside other cookies, and has an id of its own', () => {
    expect(readDevice(key, `a=b; ${cookie}; c=d`, 179 * day)).toEqual({
      user,
      id: expect.stringMatching(/^[\w-]{16}$/),
    })
    expect(readDevice(key, cookie, 181 * day)).toBeNull()
    expect(newDeviceHeader(key, user, 0)).not.toBe(made)
    expect(made).toMatch(/; Max-Age=15552000; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  })

  it.each([
    ['of another panel', cookie, Buffer.alloc(32, 2)],
    ['for another person', cookie.replace(user, other), key],
    ['that lives longer', cookie.replace(/\.15552000\./, '.99999999.'), key],
    ['twice', `${cookie}; ${cookie}`, key],
    ['cut short', cookie.slice(0, -1), key],
    ['of nothing', '__Host-wcp-device=', key],
    ['that is another cookie', cookie.replace('-device', ''), key],
  ])('is none %s', (_, header, by) => {
    expect(readDevice(by, header, 0)).toBeNull()
  })
})
