import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ingredients, isOlderThanSources } from './build-ingredients.ts'

const made = 1_000_000
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-ingredients-'))
  for (const name of ingredients.filter((one) => !one.includes('.')))
    mkdirSync(join(root, name, 'deep'), { recursive: true })
  for (const name of ['package.json', 'package-lock.json', 'src/deep/a.ts', 'src/a.test.ts', 'README.md', 'wcpd'])
    put(name, made)
})

afterEach(() => rmSync(root, { recursive: true }))

function put(name: string, seconds: number): void {
  writeFileSync(join(root, name), '')
  utimesSync(join(root, name), seconds, seconds)
}

it.each([
  ['src/deep/a.ts', true],
  ['package-lock.json', true],
  ['templates/deep/new.eta', true],
  ['src/a.test.ts', false],
  ['README.md', false],
])('a change of %s makes an executable stale: %s', (name, isStale) => {
  expect(isOlderThanSources(join(root, 'wcpd'), root)).toBe(false)
  put(name, made + 1)
  expect(isOlderThanSources(join(root, 'wcpd'), root)).toBe(isStale)
})
