import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { isAppendOnly, setAppendOnly } from './append-only.ts'

it('lets a file only grow, where the file system can; else says why not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-append-'))
  const path = join(directory, 'log')
  onTestFinished(() => {
    setAppendOnly(path, false)
    rmSync(directory, { recursive: true })
  })
  writeFileSync(path, 'one\n')

  const problem = setAppendOnly(path, true)

  expect(isAppendOnly(path)).toBe(problem === undefined)
  if (problem !== undefined) {
    // no such attribute here (ENOTTY, EOPNOTSUPP), or no CAP_LINUX_IMMUTABLE
    expect(problem).toMatch(/^(ENOTTY|EOPNOTSUPP|ENOTSUP|EPERM)$/)
    return
  }
  appendFileSync(path, 'two\n')
  expect(() => truncateSync(path)).toThrow(/EPERM/)
  expect(() => writeFileSync(path, '')).toThrow(/EPERM/)
  expect(() => renameSync(path, `${path}.1`)).toThrow(/EPERM/)
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  expect(setAppendOnly(path, false)).toBeUndefined()
  expect(isAppendOnly(path)).toBe(false)
})

it('says what is wrong with a file that is not there, or a link', () => {
  expect(setAppendOnly('/nowhere/at/all', true)).toBe('ENOENT')
  expect(setAppendOnly('/proc/self/exe', true)).toBe('ELOOP')
})
