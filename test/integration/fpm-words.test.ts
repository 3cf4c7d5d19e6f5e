/** PHP-FPM's own test of the configuration of tenants whose names are words of its grammar. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { layout } from '../../src/agent/os/layout.ts'
import { renderFpmConfig } from '../../src/agent/render/fpm.ts'
import { TenantName } from '../../src/contract/values.ts'
import { php } from './web-machine.ts'

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

it.runIf(php !== '').each(['global', 'none', 'null', 'off'])('takes "%s" for a name', (name) => {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-fpm-'))
  try {
    const file = join(directory, 'php-fpm.conf')
    writeFileSync(file, renderFpmConfig(layout(directory), { name: TenantName.parse(name), limits }))

    const argv = ['--test', '--allow-to-run-as-root', '--no-php-ini', '--fpm-config', file]
    expect(spawnSync(`/usr/sbin/php-fpm${php}`, argv)).toMatchObject({ status: 0 })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
