/** What the installer says while a step takes long, and when it is interrupted: its own functions around a step of the test's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { wordpressParts } from '../support/wordpress.ts'

const directory = mkdtempSync(join(tmpdir(), 'wcp-install-'))
const script = join(directory, 'install.sh')
const pidFile = join(directory, 'pid')
const functions = readFileSync(join(import.meta.dirname, '../../install.sh'), 'utf8')
  .replace(/^# ---- what was asked for[\s\S]*$/m, '')
  .replace('/var/log/wcp360-install.log', join(directory, 'log'))
  .replace('sleep 10 ', 'sleep 0.1 ')
writeFileSync(
  script,
  `${functions}
steps_total=1
slow() { echo $BASHPID >${pidFile}; echo "Unpacking nginx (1.22.1-9) ..."; sleep 600; }
bad() { echo "No space left"; false; echo "goes on"; }
step 'System packages' "$1"
`,
)

const bringing = join(directory, 'bring.sh')
const applications = join(directory, 'applications')
writeFileSync(
  bringing,
  `${functions.replace('/opt/wcp360/bin/wcpd\n', '/bin/true\n').replace('/var/lib/wcp360-web/applications', applications)}
wp_cli=$1 wordpress=$2
bring_applications
`,
)

function run(step: string): { child: ChildProcess; said: () => string } {
  let said = ''
  rmSync(pidFile, { force: true })
  // a group of its own, as of a terminal
  const child = spawn('/bin/bash', [script, step], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk))
  return { child, said: () => said }
}

describe('the installer', () => {
  afterAll(() => rmSync(directory, { recursive: true }))

  it.each([
    ['SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT')],
  ])('says what it waits for, and at %s ends the step and says what to do', async (_, interrupt) => {
    const { child, said } = run('slow')
    while (!/still working \(\d+ s\): Unpacking nginx \(1\.22\.1-9\) \.\.\.\n/.test(said())) await pause(20)
    const step = Number(readFileSync(pidFile, 'utf8'))

    interrupt(child.pid ?? 0)
    const [code] = await once(child, 'close')

    expect(code).toBe(130)
    expect(said()).toMatch(/\nInterrupted in step "System packages"\. Nothing is broken: run the same command again/)
    expect(existsSync(`/proc/${step}`)).toBe(false)
  })

  it('brings WP-CLI and WordPress for customers, and nothing that is not them', () => {
    const { wpCli, wordpress } = wordpressParts()
    const bring = (...words: string[]) => spawnSync('/bin/bash', [bringing, ...words], { encoding: 'utf8' })

    const brought = bring(wpCli, wordpress)
    const wrong = bring(wordpress, wpCli)
    const alone = bring('', wpCli)

    expect([brought.status, wrong.status, alone.status]).toEqual([0, 1, 1])
    expect(brought.stdout).toMatch(/wp-cli\.phar: sha512 [0-9a-f]{128}\n.*wordpress\.tar\.gz: sha512 [0-9a-f]{128}\n/)
    expect(wrong.stderr).toContain('is no wp-cli.phar -> fetch it again')
    expect(alone.stderr).toContain('is no wordpress.tar.gz -> fetch it again')
    expect(readdirSync(applications).toSorted()).toEqual(['wordpress.tar.gz', 'wp-cli.phar'])
    expect(readFileSync(join(applications, 'wp-cli.phar')).equals(readFileSync(wpCli))).toBe(true)
  })

  it('stops at the first command of a step that fails, and shows the end of the log', async () => {
    const { child, said } = run('bad')
    const [code] = await once(child, 'close')

    expect(code).toBe(1)
    expect(said()).toMatch(
      /error: System packages failed;[\s\S]* {4}No space left\nMend the cause and run the same command/,
    )
    expect(said()).not.toContain('goes on\n    ')
  })
})
