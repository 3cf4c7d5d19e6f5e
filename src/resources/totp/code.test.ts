import { describe, expect, it } from 'vitest'
import { base32, stepOfCode, totpCode, totpStep, totpUri } from './code.ts'

const secret = Buffer.from('12345678901234567890')

describe('totpCode', () => {
  // The last six of the eight digits of RFC 6238, appendix B.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %d seconds is %s', (seconds, code) => {
    expect(totpCode(secret, totpStep(seconds * 1000))).toBe(code)
  })
})

describe('stepOfCode', () => {
  const now = 1_234_567_890_000
  const at = (steps: number) => totpCode(secret, totpStep(now) + steps)

  it('takes the present code and its neighbours', () => {
    expect([-1, 0, 1].map((steps) => stepOfCode(secret, at(steps), now))).toEqual(
      [-1, 0, 1].map((steps) => totpStep(now) + steps),
    )
  })

  it.each([at(-2), at(2), '', '12345', `${at(0)}0`, ` ${at(0)}`, 'abcdef', 'éééééé'])('does not take %j', (code) => {
    expect(stepOfCode(secret, code, now)).toBeNull()
  })

  it('does not take the code of another secret', () => {
    expect(stepOfCode(Buffer.from('another secret, too'), at(0), now)).toBeNull()
  })
})

describe('base32', () => {
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foobar', 'MZXW6YTBOI'],
  ])('of %j is %j (RFC 4648 §10)', (text, encoded) => {
    expect(base32(Buffer.from(text))).toBe(encoded)
  })
})

describe('totpUri', () => {
  it('names issuer and account so that nothing in them means more than itself', () => {
    expect(totpUri(secret, 'panel.example.com', 'a&b=c@example.com')).toBe(
      'otpauth://totp/panel.example.com:a%26b%3Dc%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=panel.example.com',
    )
  })
})
