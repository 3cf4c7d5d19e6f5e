import { describe, expect, it } from 'vitest'
import { Collation, DatabaseName, isVerifierOf, PasswordVerifier, unfitFor } from './database.ts'

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

describe('a server', () => {
  it.each([
    ['mariadb', 'a'.repeat(64), 'utf8mb4_bin', undefined],
    ['postgresql', 'a'.repeat(63), 'C.UTF-8', undefined],
    ['postgresql', 'a'.repeat(64), 'C.UTF-8', 'name'],
    ['postgresql', 'pg_own', 'und-x-icu', 'name'],
    ['mariadb', 'pg_own', 'utf8mb4_bin', undefined],
    ['postgresql', 'shop', 'utf8mb4_bin', 'collation'],
    ['mariadb', 'shop', 'C.UTF-8', 'collation'],
  ] as const)('%s takes what it can have: %s, %s', (engine, name, collation, unfit) => {
    const wanted = { engine, name: DatabaseName.parse(name), collation: Collation.parse(collation) }

    expect(unfitFor(wanted)?.field).toBe(unfit)
  })
})

describe('a verifier', () => {
  const native = `*${'0A'.repeat(20)}`
  const scram = `SCRAM-SHA-256$4096:${'a'.repeat(22)}==$${'b'.repeat(43)}=:${'+'.repeat(43)}=`

  it('belongs to one server', () => {
    const [first, second] = [native, scram].map((text) => PasswordVerifier.parse(text))

    expect(
      [first, second].map((one) => one && [isVerifierOf('mariadb', one), isVerifierOf('postgresql', one)]),
    ).toEqual([
      [true, false],
      [false, true],
    ])
  })

  it.each([
    `${native}'`,
    native.toLowerCase(),
    scram.replace('4096', '1'),
    `${scram}\n`,
    scram.replaceAll('b', "'"),
    'md5' + '0'.repeat(32),
  ])('is not %s', (text) => expect(PasswordVerifier.safeParse(text).success).toBe(false))
})
