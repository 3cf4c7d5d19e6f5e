import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { knownLines } from './log-lines.ts'

const sources = globSync('src/{agent,lib,panel,waker}/**/*.ts').map((file) => readFileSync(file, 'utf8'))

it.each(knownLines)('"%s" is a line that the product says', (line) => {
  expect(sources.some((text) => text.includes(`'${line}'`))).toBe(true)
})
