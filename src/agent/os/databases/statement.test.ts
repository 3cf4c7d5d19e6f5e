import { expect, it } from 'vitest'
import { Collation, DatabaseName, PasswordVerifier } from '../../../contract/database.ts'
import {
  account,
  collated,
  exactly,
  localed,
  login,
  named,
  number,
  quoted,
  statement,
  user,
  value,
} from './statement.ts'

const name = DatabaseName.parse('a_b%c`d')

it('quotes each kind of piece in its own way', () => {
  expect(statement`drop database ${named(name)}`.text).toBe('drop database `a_b%c``d`')
  expect(statement`grant all on ${exactly(name)}.* to ${user(name)}`.text).toBe(
    'grant all on `a\\_b\\%c``d`.* to `a_b%c``d`@`localhost`',
  )
  expect(statement`select ${value(name)}`.text).toBe("select 'a_b%c`d'")
  const verifier = PasswordVerifier.parse(`*${'0A'.repeat(20)}`)
  const way = statement`using ${value(verifier)}`
  expect(statement`${way} ${account(false)} ${number(3)}`.text).toBe(`using '*${'0A'.repeat(20)}' account lock 3`)
  expect(collated(Collation.parse('utf8mb4_bin')).text).toBe('character set utf8mb4 collate utf8mb4_bin')
})

it('quotes for PostgreSQL in its way', () => {
  expect(statement`alter role ${quoted(name)} ${login(false)}`.text).toBe('alter role "a_b%c`d" nologin')
  expect(statement`${login(true)} ${localed(Collation.parse('und-x-icu'))}`.text).toBe(
    "login encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8' locale_provider icu icu_locale 'und'",
  )
  expect(localed(Collation.parse('C.UTF-8')).text).not.toContain('icu')
})

it('takes no text in the place of a piece', () => {
  // @ts-expect-error a text is none, whatever it holds
  expect(() => statement`drop database ${'`x`; drop database y'}`.text).not.toThrow()
  // @ts-expect-error neither is what looks like one
  statement`drop database ${{ text: 'x' }}`
  expect(() => number(1.5)).toThrow(RangeError)
})
