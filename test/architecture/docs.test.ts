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

describe('the packages', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, object>
  const used = [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})].sort()
  /** Of the first columns of the tables below the heading. */
  const [, chapter = ''] = readFileSync('README.md', 'utf8').split('## What it is made of')
  const rows = chapter.split('\n').filter((line) => line.startsWith('| `'))

  it('have their reason in the README, each of them and no other', () => {
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]))

    expect(named.sort()).toEqual(used)
  })

  it('that are not used have a reason for that, by name', () => {
    const note = readFileSync('docs/0024-packages.md', 'utf8')
    const unused = ['@fastify/view', 'ffi-napi', 'authenticate-pam']

    expect(unused.filter((name) => used.includes(name))).toEqual([])
    for (const name of unused) expect(note).toContain(`- *\`${name}\`*`)
  })
})
