import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { referencePages } from '../../src/tools/docs.ts'

describe('the reference', () => {
  it.each(Object.entries(referencePages()))('docs/%s is what the code says; "npm run docs" writes it', (file, text) => {
    expect(readFileSync(`docs/${file}`, 'utf8')).toBe(text)
  })
})
