import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskUse } from './disk-use.ts'

const uid = 20_000

describe.skipIf(process.getuid?.() !== 0)('what a tenant occupies', () => {
  let root: string
  let path: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-use-'))
    path = join(root, 'acme')
    mkdirSync(path)
    writeFileSync(join(path, 'large'), Buffer.alloc(400_000, 1))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const use = (quota: (uid: number) => number | string, mayGoOn = () => true) =>
    diskUse({ root, owner: 0 }, { path, uid }, { rest: async () => {}, mayGoOn }, (_, of) => quota(of))

  it('is what its quota has counted, and nothing is walked', async () => {
    const walked = () => {
      throw new Error('walked')
    }

    expect(await use((of) => of * 1000, walked)).toEqual({ bytes: 20_000_000, isWhole: true })
    expect(await use(() => 0, walked)).toEqual({ bytes: 0, isWhole: true })
  })

  it.each(['ESRCH', 'ENOSYS', 'EPERM', 'EIO'])('is what a walk finds where the quota answers %s', async (error) => {
    const { bytes, isWhole } = await use(() => error)

    expect(isWhole).toBe(true)
    expect(bytes).toBeGreaterThan(399_999)
    expect(bytes).toBeLessThan(500_000)
  })

  it('is nothing where there is no tree', async () => {
    rmSync(path, { recursive: true })

    expect(await use(() => 77)).toEqual({ bytes: 0, isWhole: true })
  })
})
