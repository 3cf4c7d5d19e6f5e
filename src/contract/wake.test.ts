import { describe, expect, it } from 'vitest'
import { parseWakeAnswer, parseWakeQuestion } from './wake.ts'

describe('the frames of the waker', () => {
  it.each([[{ wake: 'shop.example.com' }]])('reads the question %j', (value) => {
    expect(parseWakeQuestion(value)).toEqual(value)
  })

  it.each([
    [undefined],
    [null],
    ['shop.example.com'],
    [['wake', 'shop.example.com']],
    [{}],
    [{ wake: '' }],
    [{ wake: 7 }],
    [{ wake: '../../etc' }],
    [{ wake: 'Shop.example.com' }],
    [{ wake: 'a.example\n' }],
    [{ wake: 'x'.repeat(254) }],
    [{ wake: 'shop.example.com', uid: 0 }],
    [{ sleep: 'shop.example.com' }],
  ])('refuses the question %j', (value) => {
    expect(parseWakeQuestion(value)).toBeUndefined()
  })

  it.each([[{ ok: 'shop.example.com' }], [{ refused: 'shop.example.com', reason: 'failed', retryAfter: 5 }]])(
    'reads the answer %j',
    (value) => {
      expect(parseWakeAnswer(value)).toEqual(value)
    },
  )

  it.each([
    [{ ok: true }],
    [{ ok: 'shop.example.com', refused: 'shop.example.com' }],
    [{ refused: 'shop.example.com', reason: 'failed' }],
    [{ refused: 'shop.example.com', reason: 'bored', retryAfter: 5 }],
    [{ refused: 'shop.example.com', reason: 'failed', retryAfter: -1 }],
    [{ refused: 'shop.example.com', reason: 'failed', retryAfter: 1e9 }],
    [{ refused: 'shop.example.com', reason: 'failed', retryAfter: '5' }],
  ])('refuses the answer %j', (value) => {
    expect(parseWakeAnswer(value)).toBeUndefined()
  })
})
