import { describe, expect, it } from 'vitest'
import { errorOf, kindOf, Messages, query, rowOf, startup, wayOf } from './pg-packets.ts'
import { longestPacket } from './session.ts'

const bytes = (...parts: readonly (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))

describe('messages of PostgreSQL', () => {
  it('come whole, however they were cut', () => {
    const messages = new Messages()
    const both = bytes('Z', [0, 0, 0, 5], 'I', 'R', [0, 0, 0, 8], [0, 0, 0, 10])

    const taken = [...both].flatMap((byte) => messages.take(Buffer.from([byte])))

    expect(taken.map(kindOf)).toEqual(['Z', 'R'])
    expect(taken[1] && wayOf(taken[1])).toBe(10)
  })

  it.each([
    ['too long', longestPacket + 1],
    ['shorter than its own length', 3],
  ])('are refused by their head where one is %s', (_, length) => {
    const head = Buffer.from('D....')
    head.writeUInt32BE(length, 1)

    expect(() => new Messages().take(head)).toThrow(/a message of/)
  })

  it('ask for one statement, by the query that takes no second one', () => {
    expect(query('select 1')).toEqual(
      bytes(
        ...['P', [0, 0, 0, 16], '\0select 1\0', [0, 0]],
        ...['B', [0, 0, 0, 12], '\0\0', [0, 0, 0, 0, 0, 0]],
        ...['E', [0, 0, 0, 9], '\0', [0, 0, 0, 0], 'S', [0, 0, 0, 4]],
      ),
    )
    expect(() => query('select 1\0')).toThrow()
    expect(startup({ user: 'x' })).toEqual(bytes([0, 0, 0, 16, 0, 3, 0, 0], 'user\0x\0\0'))
  })

  it('tell an error without its details', () => {
    const error = bytes('E', 'SERROR\0C42501\0Mno rights\0Dwhy\0\0')

    expect(errorOf(error)).toEqual({ code: '42501', text: 'no rights' })
  })

  it('hold rows of texts', () => {
    const row = bytes('D', [0, 3], [0, 0, 0, 2], 'ab', [255, 255, 255, 255], [0, 0, 0, 0])

    expect(rowOf(row)).toEqual(['ab', null, ''])
    expect(() => rowOf(row.subarray(0, 8))).toThrow()
    expect(() => rowOf(bytes('D', [0, 1], [255, 255, 255, 0]))).toThrow(/cut off/)
  })
})
