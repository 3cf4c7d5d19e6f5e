import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parts } from '../mutation/areas.ts'

it('changes sources, and runs tests, that there are', () => {
  const named = parts.flatMap(({ source, tests }) => [source, ...tests])

  expect(named.filter((path) => !existsSync(path))).toEqual([])
})
