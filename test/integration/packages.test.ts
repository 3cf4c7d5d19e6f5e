/** `src/tools/packages.sh` beside a registry of the test's own. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const served = new Map<string, Buffer>()
let server: Server
let registry: string
let root: string

beforeAll(async () => {
  server = createServer((request, response) => {
    const body = served.get(request.url ?? '')
    response.writeHead(body ? 200 : 404).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the registry has no port')
  registry = `http://127.0.0.1:${address.port}/npm/`
})

afterAll(() => {
  server.close()
})

beforeEach(() => {
  served.clear()
  root = mkdtempSync(join(tmpdir(), 'wcp-packages-'))
  mkdirSync(join(root, 'src/tools'), { recursive: true })
  cpSync(join(import.meta.dirname, '../../src/tools/packages.sh'), join(root, 'src/tools/packages.sh'))
  return () => rmSync(root, { recursive: true })
})

/** Puts a package into the registry. @returns its digest as a lock file has it */
function publish(name: string, version: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-tarball-'))
  mkdirSync(join(directory, 'package/lib'), { recursive: true })
  writeFileSync(join(directory, 'package/package.json'), JSON.stringify({ name, version }), { mode: 0o666 })
  writeFileSync(join(directory, 'package/lib/index.js'), `// ${name}`)
  const tarball = execFileSync('tar', ['-C', directory, '-czf', '-', 'package'])
  rmSync(directory, { recursive: true })
  served.set(`/npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`, tarball)
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`
}

function lock(packages: Readonly<Record<string, object>>): void {
  const text = JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'it' }, ...packages } }, null, 2)
  writeFileSync(join(root, 'package-lock.json'), `${text}\n`)
}

async function run(env: Readonly<Record<string, string>> = { npm_config_registry: registry }, ...words: string[]) {
  const script = join(root, 'src/tools/packages.sh')
  const child = spawn('/bin/bash', [script, ...words], { env: { PATH: '/usr/bin:/bin', HOME: root, ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const [code] = await once(child, 'close')
  return { code, said }
}

const installed = (path: string) => existsSync(join(root, 'node_modules', path))

describe('the packages of a build', () => {
  it('are those of the lock file for this machine, where it puts them', async () => {
    lock({
      'node_modules/@our/tool': { version: '1.2.0', integrity: publish('@our/tool', '1.2.0') },
      'node_modules/plain': { version: '2.0.0-rc.1', integrity: publish('plain', '2.0.0-rc.1') },
      'node_modules/plain/node_modules/inner': { version: '3.0.0', integrity: publish('inner', '3.0.0') },
      'node_modules/inner': { version: '3.0.0', integrity: publish('inner', '3.0.0'), engines: { node: '>=1' } },
      'node_modules/ours': { version: '1.0.0', integrity: publish('ours', '1.0.0'), cpu: ['x64'], os: ['linux'] },
      'node_modules/theirs': { version: '1.0.0', integrity: publish('theirs', '1.0.0'), cpu: ['arm64'], os: ['linux'] },
      'node_modules/musl': { version: '1.0.0', integrity: publish('musl', '1.0.0'), cpu: ['x64'], libc: ['musl'] },
      'node_modules/tests': { version: '1.0.0', integrity: publish('tests', '1.0.0'), dev: true },
    })
    mkdirSync(join(root, 'node_modules/gone'), { recursive: true })

    expect(await run()).toEqual({ code: 0, said: '' })
    expect(readFileSync(join(root, 'node_modules/@our/tool/lib/index.js'), 'utf8')).toBe('// @our/tool')
    for (const path of ['plain', 'plain/node_modules/inner', 'inner', 'ours'])
      expect(installed(`${path}/package.json`), path).toBe(true)
    for (const path of ['theirs', 'musl', 'tests', 'gone']) expect(installed(path), path).toBe(false)
    expect(existsSync(join(root, 'dist/packages'))).toBe(false)
  })

  it('are not taken when one differs from its digest, and what was there stays', async () => {
    const integrity = publish('plain', '1.0.0')
    publish('plain', '1.0.1')
    served.set('/npm/plain/-/plain-1.0.0.tgz', served.get('/npm/plain/-/plain-1.0.1.tgz') ?? Buffer.alloc(0))
    lock({ 'node_modules/plain': { version: '1.0.0', integrity } })
    mkdirSync(join(root, 'node_modules/before'), { recursive: true })

    const { code, said } = await run()

    expect(code).toBe(1)
    expect(said).toContain('plain-1.0.0.tgz: FAILED')
    expect(said).toContain('error: what the registry sent is not what package-lock.json names\n')
    expect([installed('before'), installed('plain')]).toEqual([true, false])
  })

  it('are not taken when the registry has not all of them', async () => {
    const integrity = publish('plain', '1.0.0')
    served.clear()
    lock({ 'node_modules/plain': { version: '1.0.0', integrity } })
    mkdirSync(join(root, 'node_modules/before'), { recursive: true })

    const { code, said } = await run()

    expect(code).not.toBe(0)
    expect(said).toContain('404')
    expect(installed('before')).toBe(true)
  })

  it.each([
    ['a path out of the tree', { 'node_modules/../../evil': { version: '1.0.0' } }, 'names a strange package'],
    ['a version with more in it', { 'node_modules/a': { version: '1.0.0/../../b' } }, 'has no version of'],
    ['a package without a digest', { 'node_modules/a': { version: '1.0.0' } }, 'has no SHA-512 digest of'],
    [
      'an older digest',
      { 'node_modules/a': { version: '1.0.0', integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' } },
      'has no SHA-512 digest of',
    ],
    ['nothing', {}, 'names no package'],
  ])('are refused for a lock file that names %s', async (_, packages, words) => {
    lock(packages)

    const { code, said } = await run()

    expect(code).toBe(1)
    expect(said).toMatch(/^error: package-lock\.json [^\n]+\n$/)
    expect(said).toContain(words)
  })

  it('come from the registry that npm is told, and without one it says what to do', async () => {
    const remedy =
      'error: npm is not installed and no registry is configured; run "apt-get install npm", or name one in ~/.npmrc\n'
    expect(await run({}, '--is-configured')).toEqual({ code: 1, said: remedy })

    writeFileSync(join(root, '.npmrc'), `fund=false\nregistry=${registry}\n`)
    lock({ 'node_modules/plain': { version: '1.0.0', integrity: publish('plain', '1.0.0') } })
    expect(await run({}, '--is-configured')).toEqual({ code: 0, said: '' })
    expect(existsSync(join(root, 'dist'))).toBe(false)
    expect(await run({})).toEqual({ code: 0, said: '' })
    expect(installed('plain/lib/index.js')).toBe(true)
  })
})
