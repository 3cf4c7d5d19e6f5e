import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { referencePages } from '../../src/tools/docs.ts'
import { sourceFiles } from './sources.ts'

describe('the reference', () => {
  it.each(Object.entries(referencePages()))('%s is what the code says; "npm run docs" writes it', (file, text) => {
    expect(readFileSync(file, 'utf8')).toBe(text)
  })
})

describe('each folder of src', () => {
  const folders = new Set(
    sourceFiles()
      .filter((path) => /^src\/.*\.ts$/.test(path))
      .map((path) => dirname(path)),
  )
  /** Numbered files, rows, and a kind's part on the root side: the room above says it. */
  const parts = /\/migrations$|\/tables$|^src\/agent\/kinds\/./

  it('tells a newcomer in at most ten lines what it is for; root and panel, which auditors read, tell more', () => {
    const rooms = [...folders].filter((folder) => folder !== 'src' && !parts.test(folder))
    const wrong = rooms.filter((folder) => {
      const file = `${folder}/README.md`
      const isLong = folder === 'src/agent' || folder === 'src/panel'
      return !existsSync(file) || (!isLong && readFileSync(file, 'utf8').trimEnd().split('\n').length > 10)
    })

    expect(wrong).toEqual([])
  })
})
