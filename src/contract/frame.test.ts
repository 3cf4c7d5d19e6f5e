import { describe, expect, it } from 'vitest'
import { encodeFrame, FrameDecoder, FrameError, fitsFrame, maxFrameBytes } from './frame.ts'

function raw(text: string | Buffer): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const values = [{ t: 'hello', text: 'ü\u2028"\\' }, [1, null, true], 'x'.repeat(70_000)]
    const bytes = Buffer.concat(values.map(encodeFrame))

    for (const size of [1, 3, 4096, bytes.length]) {
      const decoder = new FrameDecoder()
      const seen: unknown[] = []
      for (let at = 0; at < bytes.length; at += size) seen.push(...decoder.push(bytes.subarray(at, at + size)))
      expect(seen).toEqual(values)
    }
  })

  it.each([
    ['a key twice', '{"t":"job","t":"ack"}'],
    ['white space', '{"t": "job"}'],
    ['another spelling of a number', '{"n":1.0}'],
    ['another spelling of a character', '{"t":"\\u0041"}'],
    ['a key that reaches for the prototype', '{"payload":{"__proto__":{}}}'],
    ['a byte order mark', '\uFEFF{}'],
    ['no JSON', '{t:1}'],
    ['text after the value', '{}{}'],
    ['nine levels', '[[[[[[[[[1]]]]]]]]]'],
    ['a hundred thousand levels', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('refuses %s', (_what, text) => {
    expect(() => new FrameDecoder().push(raw(text))).toThrow(FrameError)
  })

  it('refuses what is not UTF-8', () => {
    expect(() => new FrameDecoder().push(raw(Buffer.from([0x22, 0xff, 0x22])))).toThrow(FrameError)
  })

  it('refuses a length over the limit before the body arrives', () => {
    const head = Buffer.alloc(4)
    for (const length of [0, maxFrameBytes + 1, 0xffffffff]) {
      head.writeUInt32BE(length)
      expect(() => new FrameDecoder().push(Buffer.from(head))).toThrow(FrameError)
    }
  })

  it('accepts a text that looks like such a key', () => {
    expect(new FrameDecoder().push(raw(JSON.stringify(['"__proto__":', '__proto__'])))).toHaveLength(1)
  })

  it('accepts eight levels', () => {
    expect(new FrameDecoder().push(raw('[[[[[[[[1]]]]]]]]'))).toHaveLength(1)
  })

  it('does not make a frame that the other side would refuse', () => {
    expect(() => encodeFrame('x'.repeat(maxFrameBytes))).toThrow(FrameError)
  })
  it.each([
    ['short', 'x', true],
    ['exactly as long as a frame', 'x'.repeat(maxFrameBytes - 2), true],
    ['a byte longer', 'x'.repeat(maxFrameBytes - 1), false],
    ['nine levels deep', [[[[[[[[[1]]]]]]]]], false],
  ])('tells beforehand whether what is %s fits', (_what, value, fits) => {
    expect(fitsFrame(value)).toBe(fits)
  })
})
