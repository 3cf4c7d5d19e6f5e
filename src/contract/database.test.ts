import { describe, expect, it } from 'vitest'
import { DatabaseName } from './database.ts'

const isName = (text: string) => DatabaseName.safeParse(text).success

describe('a name of a database', () => {
  it.each(['shop', '1', 'a_b', 'p%q', 'a-b.c$', 'a`b', 'a'.repeat(64), 'a'.repeat(2) + '_'.repeat(31)])(
    'may be %s',
    (name) => expect(isName(name)).toBe(true),
  )

  it.each([
    ['nothing', ''],
    ['too long', 'a'.repeat(65)],
    ['too long where it is escaped', `a${'_'.repeat(32)}`],
    ['too long as a directory', `a${'-'.repeat(48)}b`],
    ['upper case, which some servers fold', 'Shop'],
    ['a backslash', 'a\\b'],
    ['a quote', "a'b"],
    ['a double quote', 'a"b'],
    ['a slash', 'a/b'],
    ['a space', 'a b'],
    ['a line end', 'a\n'],
    ['NUL', 'a\0b'],
    ['an option', '--user'],
    ['a dot at its end', 'a.'],
    ['another alphabet', 'mаil'],
  ])('is not %s', (_, name) => expect(isName(name)).toBe(false))
})
