import { describe, expect, it } from 'vitest'
import { isCommonPassword } from './common-password.ts'

describe('isCommonPassword', () => {
  it.each([
    'password1234',
    'Password2024!',
    'P@ssw0rd1234',
    '123456789012',
    '098765432109',
    'qwertyuiop123',
    'QWERTYUIOPAS',
    'aaaaaaaaaaaa',
    'abcabcabcabc',
    'passwordpassword',
    'administrator',
    'Administrator1!',
    'changeme1234',
    '1q2w3e4r5t6y',
    'welcome12345',
    'letmein!!!!!',
    '1qaz2wsx3edc',
    'iloveyou2023',
    'correcthorsebatterystaple',
    'abcdefghijkl',
    '!!!!!!!!!!!!',
  ])('finds %s', (password) => {
    expect(isCommonPassword(password)).toBe(true)
  })

  it.each([
    'a quiet river at night',
    'vK3!pqLm92xz',
    'tulpen im schnee',
    'my password is long and odd',
    '中文密码也可以很长的呢',
    '9f2c1b7ae04d',
  ])('lets %s pass', (password) => {
    expect(isCommonPassword(password)).toBe(false)
  })

  it('answers at once', () => {
    const begin = performance.now()
    for (const sign of ['a', '1', '@', 'é']) isCommonPassword(sign.repeat(128))
    expect(performance.now() - begin).toBeLessThan(1000)
  })
})
