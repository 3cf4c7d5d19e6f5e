import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { quotaUse } from './disk-quota.ts'
import { asDirectory } from './walk.ts'

it.skipIf(process.getuid?.() !== 0)('says nothing of a file system without a quota, and stays root', () => {
  const place = mkdtempSync(join(tmpdir(), 'wcp-quota-'))
  const directory = openSync(place, asDirectory)

  const said = [20_000, 59_999].map((uid) => quotaUse(directory, uid))

  expect(said).toEqual([expect.stringMatching(/^E/), expect.stringMatching(/^E/)])
  expect([process.geteuid?.(), process.getuid?.()]).toEqual([0, 0])
  closeSync(directory)
  rmSync(place, { recursive: true })
})
