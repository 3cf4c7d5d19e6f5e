import { describe, expect, it } from 'vitest'
import { errorOf, kindOf, Packets, query, rowOf } from './mysql-packets.ts'
import { longestPacket } from './session.ts'

const packet = (body: Buffer, number = 0) => {
  const head = Buffer.alloc(4)
  head.writeUIntLE(body.length, 0, 3)
  head.writeUInt8(number, 3)
  return Buffer.concat([head, body])
}

describe('packets', () => {
  it('come whole, however they were cut', () => {
    const packets = new Packets()
    const both = Buffer.concat([packet(Buffer.from('one')), packet(Buffer.from('two'), 1)])

    const taken = [...both].flatMap((byte) => packets.take(Buffer.from([byte])).map(String))

    expect(taken).toEqual(['one', 'two'])
    expect(packets.answer(Buffer.from('x'))[3]).toBe(2)
    expect(packets.ask(query('select 1'))[3]).toBe(0)
  })

  it('are refused by their head where they are too long', () => {
    const head = Buffer.alloc(4)
    head.writeUIntLE(longestPacket + 1, 0, 3)

    expect(() => new Packets().take(head)).toThrow(/a packet of/)
  })

  it('are told apart', () => {
    expect(kindOf(Buffer.from([0, 0, 0]))).toBe('ok')
    expect(kindOf(Buffer.from([0xfe, 0, 0, 2, 0]))).toBe('end')
    expect(kindOf(Buffer.from([3]))).toBe('other')
    const error = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from('#28000Access denied')])
    expect([kindOf(error), errorOf(error)]).toEqual(['error', { number: 1045, text: 'Access denied' }])
  })
})

describe('rows', () => {
  it('are read as texts, with what is null and what is long', () => {
    const long = Buffer.alloc(300, 'x')
    const body = Buffer.concat([
      ...[Buffer.from([1]), Buffer.from('a'), Buffer.from([0xfb, 0])],
      ...[Buffer.from([0xfc, 300 & 255, 300 >> 8]), long],
    ])

    expect(rowOf(body)).toEqual(['a', null, '', long.toString()])
  })

  it.each([
    ['that are cut off', Buffer.from([9, 97])],
    ['with a column too long', Buffer.from([0xfe, 0, 0, 0, 0, 1, 0, 0, 0])],
  ])('%s are refused', (_, body) => expect(() => rowOf(body)).toThrow())
})
