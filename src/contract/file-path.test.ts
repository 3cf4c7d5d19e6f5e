import { describe, expect, it } from 'vitest'
import { decodeName, encodeName, FilePath, namesOf } from './file-path.ts'

describe('the spelling of a name', () => {
  it.each([
    ['index.php', 'index.php'],
    ['Größe 1.txt', 'Größe 1.txt'],
    ['שלום.txt', 'שלום.txt'],
    ['100%', '100%25'],
    ['a\nb', 'a%0Ab'],
    ['\u202Egnp.exe', '%E2%80%AEgnp.exe'],
    [' ', '%20'],
    ['a\u00A0b', 'a%C2%A0b'],
  ])('of %j is %s', (name, text) => {
    expect(encodeName(Buffer.from(name))).toBe(text)
    expect(decodeName(text)?.toString()).toBe(name)
  })

  it('of any bytes leads back to them', () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = crypto
        .getRandomValues(new Uint8Array(1 + (round % 40)))
        .map((byte) => (byte === 0x2f ? 1 : byte || 1))
      if (bytes.length < 3 && bytes.every((byte) => byte === 0x2e)) continue
      expect(decodeName(encodeName(bytes))).toEqual(Buffer.from(bytes))
    }
  })

  it('is the only one', () => {
    for (const text of ['%41', '%0a', 'a\nb', '%', '%2', '%2F', '%00', '.', '..', '', 'a/b', '\uD800', 'a\u202Eb'])
      expect(decodeName(text), text).toBeUndefined()
    expect(decodeName('x'.repeat(256))).toBeUndefined()
    expect(decodeName('%01'.repeat(255))).toHaveLength(255)
  })
})

it('takes paths below the place where they begin, and no other', () => {
  expect(namesOf('wp-content/a%0Ab')?.map(String)).toEqual(['wp-content', 'a\nb'])
  expect(namesOf('')).toEqual([])
  for (const path of ['/etc/passwd', '../x', 'a/../b', 'a//b', 'a/', './a', 'a/..', 'x/'.repeat(150) + 'x'])
    expect(FilePath.safeParse(path).success, path).toBe(false)
})
