import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { serverAddress } from './server-address.ts'
import { serverFile } from './server-file.ts'

const home = mkdtempSync(join(tmpdir(), 'wcp-config-'))
const kept = {
  fingerprint: 'AB:CD',
  session: { email: 'ann@example.com', secret: 's', token: 't', expiresAt: '2026-01-01T00:00:00.000Z' },
  key: null,
}

afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('what is kept of a server', () => {
  it('is read again, and is for the eyes of its owner alone', () => {
    const file = serverFile(serverAddress('[::1]:8360'), { XDG_CONFIG_HOME: home })
    expect(file.read()).toEqual({ fingerprint: null, session: null, key: null })

    file.write(kept)
    file.write({ ...kept, fingerprint: null })

    expect(file.read()).toEqual({ ...kept, fingerprint: null })
    expect(statSync(file.path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file.path)).mode & 0o777).toBe(0o700)
    expect(readdirSync(dirname(file.path))).toHaveLength(1)
    expect(dirname(dirname(file.path))).toBe(join(home, 'wcp360'))
  })

  it('is read as it was written before there were keys', () => {
    const file = serverFile(serverAddress('a.example'), { XDG_CONFIG_HOME: home })
    file.write(kept)
    const { key: _, ...before } = kept
    writeFileSync(file.path, JSON.stringify(before))

    expect(file.read()).toEqual(kept)
  })

  it('is another file for another port', () => {
    const env = { XDG_CONFIG_HOME: home }

    expect(serverFile(serverAddress('a.example:1'), env).path).not.toBe(
      serverFile(serverAddress('a.example:2'), env).path,
    )
  })

  it('is refused when it is damaged', () => {
    const file = serverFile(serverAddress('a.example'), { XDG_CONFIG_HOME: home })
    file.write(kept)

    for (const text of ['', '{', '{}', '{"fingerprint":1,"session":null}']) {
      writeFileSync(file.path, text)
      expect(() => file.read()).toThrow('it is damaged')
    }
  })
})
