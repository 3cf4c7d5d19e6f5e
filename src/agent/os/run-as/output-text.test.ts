import { describe, expect, it } from 'vitest'
import { outputText } from './output-text.ts'

const page = (bytes: Buffer | string, from = 0) => {
  const buffer = Buffer.from(bytes as string)
  return outputText({ from, bytes: buffer, next: from + buffer.length })
}

describe('a page of output', () => {
  it('holds nothing that moves a cursor, sets a title or turns the reading direction', () => {
    const evil = '\u001b[31mred\u001b[0m \u001b]0;title\u0007 a\bb \u202eabc \u009b31m\ttab\r\nline\rnext\n'
    expect(page(evil).text).toBe('red \ufffd]0;title\ufffd a\ufffdb \ufffdabc \ufffd31m\ttab\nline\nnext\n')
  })

  it.each([['é'], ['€'], ['𝄞']])('leaves %s, cut in two, to the next page', (character) => {
    const bytes = Buffer.from(`a${character}`)
    for (let cut = 2; cut < bytes.length; cut++) {
      const first = page(bytes.subarray(0, cut))
      expect(first).toEqual({ text: 'a', from: 0, next: 1 })
      expect(page(bytes.subarray(first.next), first.next).text).toBe(character)
    }
  })

  it('goes on after bytes that are no text, also at the end of everything', () => {
    expect(page(Buffer.from([0xc3]))).toEqual({ text: '\ufffd', from: 0, next: 1 })
    expect(page(Buffer.from([0x80, 0x80, 0x80, 0x80])).next).toBe(4)
  })
})
