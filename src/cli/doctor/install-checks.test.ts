import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { layout } from '../../agent/os/layout.ts'
import { WcpError } from '../../contract/errors.ts'
import { runChecks } from './check.ts'
import { installChecks } from './install-checks.ts'

describe('a machine where nothing is installed', () => {
  const root = mkdtempSync(join(tmpdir(), 'wcp-doctor-'))
  const help = 'Start the daemon.'
  const call = async () => {
    throw new WcpError('unavailable', 'Cannot reach the panel', { help })
  }

  afterAll(() => rmSync(root, { recursive: true }))

  it.each([
    ['configuration', 'there is no', 'Run install.sh: it installs WCP360 and writes the file.'],
    ['web server', 'there is no', 'Install nginx, and run install.sh again.'],
    ['ports', 'no port is known without', 'Run install.sh: it installs WCP360 and writes the file.'],
    ['panel', 'Cannot reach the panel', help],
  ])('is told by the %s', async (name, detail, remedy) => {
    const findings = await runChecks(installChecks(layout(root), call))
    const found = findings.find((one) => one.name === name)

    expect(found).toMatchObject({ state: 'problem', detail: expect.stringContaining(detail), remedy })
    expect(found?.detail).not.toContain('ENOENT')
  })
})
