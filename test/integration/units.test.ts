/** The units as systemd reads them, offline: they are well-formed, and as tight as was promised. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../../systemd')
const tool = '/usr/bin/systemd-analyze'

describe.skipIf(!existsSync(tool))('systemd units', () => {
  it.each([
    ['wcpd.service', 4.0],
    ['wcpd-panel.service', 1.5],
    ['wcpd-waker.service', 1.5],
    ['wcpd-web-log.service', 1.5],
  ])('%s is exposed by at most %s', (unit, limit) => {
    const argv = ['security', '--offline=true', '--no-pager', '--json=off', join(folder, unit)]

    const report = execFileSync(tool, argv, { encoding: 'utf8' })

    const score = /Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1]
    expect(Number(score)).toBeLessThanOrEqual(limit)
    expect(Number(score)).toBeGreaterThan(0)
  })

  it('says nothing systemd does not understand', () => {
    const units = readdirSync(folder).filter((name) => /\.(service|socket|slice)$/.test(name))
    const argv = ['verify', '--man=no', '--recursive-errors=no', ...units.map((name) => join(folder, name))]

    const said = verify(argv).filter((line) => !line.includes('/opt/wcp360/bin/wcpd is not executable'))

    expect(units).toContain('wcpd-panel.socket')
    expect(said).toEqual([])
  })
})

/** It exits with 1 when the executable is not installed here, which is no fault of the unit. */
function verify(argv: string[]): string[] {
  try {
    execFileSync(tool, argv, { encoding: 'utf8', stdio: 'pipe' })
    return []
  } catch (error) {
    const { stderr } = error as { stderr: string } // execFileSync's error, with the encoding asked for
    return stderr.split('\n').filter(Boolean)
  }
}
