import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { knownLines, unexpectedLines } from './log-lines.ts'

const sources = globSync('src/{agent,lib,panel,waker}/**/*.ts').map((file) => readFileSync(file, 'utf8'))

it.each(knownLines)('"%s" is a line that the product says', (line) => {
  expect(sources.some((text) => text.includes(`'${line}'`))).toBe(true)
})

it('explains by a kill that a command of a tenant was lost, and no other step that failed', () => {
  const line = (msg: string, step: string | null) => JSON.stringify({ level: 40, msg, step })
  const lost = ['step failed', 'a job failed'].map((msg) => line(msg, 'command of acme has ended'))
  const other = ['step failed', 'a job failed'].map((msg) => line(msg, 'site of acme is there'))

  const unexpected = unexpectedLines([...lost, ...other, line('a job failed', null)].join('\n'), 'SIGKILL')

  expect(unexpected).toEqual(other.map((one) => `unexpected line: ${one}`))
})
