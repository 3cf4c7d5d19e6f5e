/** From nothing but the repository on a fresh Debian 13 to a running panel, although the first attempt is killed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pipe } from './harness/command.ts'
import type { Machine } from './harness/machine.ts'
import { start } from './harness/start.ts'

const minutes = 60_000

describe('a fresh Debian 13 with the repository on it', () => {
  let machine: Machine

  beforeAll(async () => {
    machine = await start('trixie')
    await copyRepository(machine)
  })

  afterAll(() => machine?.stop())

  it('survives that the installer is killed while it unpacks packages', async () => {
    const script = `cd /root/wcp360
      setsid ./install.sh </dev/null >/root/first.log 2>&1 & installer=$!
      until pgrep -x dpkg >/root/seen; do kill -0 $installer || exit 1; sleep 0.5; done
      sleep 8
      pkill -KILL -s $installer
      while pgrep -x dpkg >/root/seen; do sleep 0.5; done
      cat /root/first.log`

    expect(await machine.succeed(script, { timeout: 10 * minutes })).toMatch(
      /^\[1\/10\] System packages \(1 to 3 minutes/,
    )
    expect((await machine.run(['test', '-e', '/opt/wcp360'])).code).toBe(1)
  })

  it('is installed from source by one command, which says what it does and what comes next', async () => {
    const began = Date.now()
    const said = await machine.succeed('cd /root/wcp360 && ./install.sh', { timeout: 30 * minutes })
    console.log(`install.sh from source took ${Math.round((Date.now() - began) / 1000)} s`)

    for (let step = 1; step <= 10; step++) expect(said).toContain(`[${step}/10] `)
    expect(said).toMatch(/still working \(10 s\): \w/)
    expect(said).toMatch(/https:\/\/10\.0\.2\.15:8360\/bootstrap\/[\w-]{22}\n/)
    expect(said).toMatch(/Next: +open the address, sign in as root/)
    const fingerprint = await machine.succeed(
      'openssl x509 -noout -fingerprint -sha256 -in /etc/wcp360/ssl/panel.crt | cut -d= -f2',
    )
    expect(said).toContain(fingerprint.trim())
  })

  it('answers wcp, and finds nothing wrong with itself', async () => {
    expect(await machine.succeed(['wcp', '--version'])).toMatch(/^(wcp )?0\.1\.0/)
    expect(await machine.succeed(['wcp', 'status'])).toMatch(/nginx +running/)
    expect(await machine.succeed(['wcp', 'doctor'])).not.toMatch(/FAIL/)
    expect(
      (await machine.run('curl -sk -m 30 -o /dev/null -w "%{http_code}" https://127.0.0.1:8360/bootstrap')).stdout,
    ).toBe('200')
  })

  it('needed no Node, npm or compiler of the distribution', async () => {
    expect((await machine.run('dpkg-query -W nodejs npm gcc make 2>/dev/null')).stdout).toBe('')
  })
})

/** What is tracked or about to be, as it is in this checkout; neither packages nor anything built. */
async function copyRepository(machine: Machine): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-repository-'))
  try {
    const archive = join(directory, 'repository.tar')
    const files = ['git', '-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    await pipe(files, ['tar', '--null', '--files-from=-', '--ignore-failed-read', '-cf', archive], minutes)
    await machine.copyIn(archive, '/root/repository.tar')
    await machine.succeed('mkdir /root/wcp360 && tar -C /root/wcp360 --no-same-owner -xf /root/repository.tar')
  } finally {
    rmSync(directory, { recursive: true })
  }
}
