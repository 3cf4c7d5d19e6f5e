/** Files of a site from the command line to the tenant's own process and back, through panel and agent as they are. */
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { layout } from '../../src/agent/os/layout.ts'
import { processes } from '../../src/agent/os/processes.ts'
import { wcp } from '../../src/cli/wcp.ts'
import type { Fqdn, TenantName } from '../../src/contract/values.ts'
import { asset } from '../../src/program/assets.ts'
import { exchange, keepRunningAs } from '../security/as-tenant.ts'
import { Product } from '../support/product.ts'
import { php } from './run-machine.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const canRun = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx') && php !== null
const site = 'shop.example.com'
const List = z.object({
  items: z.array(z.looseObject({ name: z.string(), kind: z.string(), target: z.string().nullable() })),
  nextCursor: z.string().nullable(),
  total: z.int(),
})

describe.skipIf(!canRun)('the files of a site', () => {
  let machine: Product
  let docroot: string
  let uid: number

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    machine = await Product.serving({ command: [process.execPath, main] })
    await machine.call('POST', '/packages', { name: 'basic', pids: 80 })
    await machine.call('POST', '/tenants', { name: 'acme', package: 'basic', domain: site })
    await machine.until('the site is made', async () => (await status()) === 'active')
    docroot = machine.places.customers.docroot('acme' as TenantName, site as Fqdn)
    uid = Number(execFileSync('stat', ['--format=%u', docroot], { encoding: 'utf8' }))
  })
  afterAll(() => machine?.dispose())

  const status = async () => ((await machine.call('GET', `/domains/${site}`)) as { status: string }).status
  const tenantStatus = async () => ((await machine.call('GET', '/tenants/acme')) as { status: string }).status
  const list = async (more = '') => List.parse(await machine.call('GET', `/domains/${site}/files${more}`))
  const own = (path: string) => chownSync(path, uid, uid)
  const put = (name: string | Buffer, bytes: string | Buffer) => {
    const path = Buffer.concat([Buffer.from(`${docroot}/`), Buffer.from(name)])
    writeFileSync(path, bytes)
    chownSync(path, uid, uid)
  }

  async function typed(...words: string[]): Promise<{ code: number; out: string; err: string; bytes: Buffer }> {
    const said = { out: '', err: '' }
    const to = (key: keyof typeof said) => (text: string) => {
      said[key] += text
    }
    const pieces: Buffer[] = []
    const bytes = new PassThrough()
    bytes.on('data', (piece: Buffer) => pieces.push(piece))
    const never = () => Promise.reject(new Error('not asked here'))
    const ask = { secret: never, text: never, yes: async () => true }
    const output = { out: to('out'), err: to('err'), colour: false }
    const all = ['--root', machine.root, ...words]
    const code = await wcp(all, { output, ask, env: {}, isTerminal: false, places: layout, onInterrupt() {}, bytes })
    return { code, ...said, bytes: Buffer.concat(pieces) }
  }

  const workers = () =>
    processes()
      .filter(({ state }) => state !== 'Z')
      .map(({ pid }) => ({ pid, words: read(`/proc/${pid}/cmdline`), status: read(`/proc/${pid}/status`) }))
      .filter(
        ({ words }) => words.includes('\0file-worker\0') && !words.startsWith('bwrap') && !words.includes('setpriv'),
      )

  it('are listed, with odd names in a safe spelling, by a process of the tenant', async () => {
    put('index.html', 'hello\n')
    put('a\nb \u202egnp.exe', '')
    put(Buffer.from([0x66, 0xff, 0x25]), 'x')
    put(Buffer.alloc(255, 'n'), '')
    mkdirSync(join(docroot, 'wp-content'))
    own(join(docroot, 'wp-content'))
    symlinkSync('/etc/passwd', join(docroot, 'passwords'))
    execFileSync('mkfifo', [join(docroot, 'pipe')])
    own(join(docroot, 'pipe'))

    const { items, total } = await list()

    const names = items.map(({ name, kind }) => `${kind} ${name}`)
    expect(names).toContain('file a%0Ab %E2%80%AEgnp.exe')
    expect(names).toContain('file f%FF%25')
    expect(names).toContain(`file ${'n'.repeat(255)}`)
    expect(names).toContain('other pipe')
    expect(items.find(({ name }) => name === 'passwords')).toMatchObject({ kind: 'link', target: '/etc/passwd' })
    expect(total).toBe(items.length)
    const [worker, ...others] = workers()
    expect(others).toEqual([])
    expect(worker?.status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'))
    expect(worker?.status).toMatch(/^CapEff:\t0{16}$/m)
  })

  it('are paged in the order of their bytes', async () => {
    const first = await list('?limit=2')
    const rest = await list(`?cursor=${encodeURIComponent(first.nextCursor ?? '')}`)
    expect([...first.items, ...rest.items]).toEqual((await list()).items)
  })

  it('are shown and downloaded, whatever is in them', async () => {
    const big = randomBytes(24 * 1024 * 1024)
    put('big.bin', big)

    const shown = await machine.call('GET', `/domains/${site}/files/entry?path=index.html`)
    const download = await typed('file', 'download', site, 'big.bin')
    const odd = await typed('file', 'download', site, 'f%FF%25')

    expect(shown).toMatchObject({ kind: 'file', size: 6, text: 'hello\n' })
    expect(createHash('sha256').update(download.bytes).digest('hex')).toBe(
      createHash('sha256').update(big).digest('hex'),
    )
    expect(download.code).toBe(0)
    expect(odd.bytes.toString()).toBe('x')
    expect((await typed('file', 'get', site, 'big.bin', '--json')).out).toContain('"text": null')
  })

  it('are refused where they are no files, or beyond the site', async () => {
    const refusals = {
      passwords: 'Cannot read "passwords": it is a link, and links are not followed',
      pipe: 'Cannot read "pipe": it is no file',
      'wp-content': 'Cannot read "wp-content": it is no file',
      'passwords/x': 'Cannot open "passwords/x": something on the way to it is no directory, or a link to one',
      'none.txt': 'Cannot read "none.txt": it is not there',
    }
    for (const [path, title] of Object.entries(refusals))
      expect((await typed('file', 'download', site, path)).err, path).toContain(title)
    for (const path of ['../../home', '/etc/passwd', 'wp-content/../..', ''])
      expect((await typed('file', 'get', site, path)).code, path).toBe(2)
    expect((await list()).total).toBeGreaterThan(5) // it goes on after each of them
  })

  it('are made, changed and moved, and nothing is overwritten that was changed meanwhile', async () => {
    const call = (
      method: 'POST' | 'PATCH' | 'DELETE' | 'GET',
      rest: string,
      body?: Readonly<Record<string, unknown>>,
    ) => machine.call(method, `/domains/${site}/files${rest}`, body)
    const entry = async (path: string) =>
      (await call('GET', `/entry?path=${path}`)) as { tag: string; mode: string; text: string }

    await call('POST', '/directories', { path: 'css' })
    await call('POST', '', { path: 'css/site.css', text: 'a {}\n' })
    const first = await entry('css/site.css')
    chmodSync(join(docroot, 'css/site.css'), 0o640)
    await expect(call('PATCH', '/entry', { path: 'css/site.css', text: 'b', tag: first.tag })).rejects.toMatchObject({
      code: 'precondition_failed',
    })
    await call('PATCH', '/entry', { path: 'css/site.css', text: 'b {}\n', tag: (await entry('css/site.css')).tag })
    const second = await entry('css/site.css')
    await call('POST', '/move', { path: 'css/site.css', to: 'css/a b%0A.css' })

    expect([first.text, second.text, second.mode]).toEqual(['a {}\n', 'b {}\n', '640'])
    expect(readFileSync(join(docroot, 'css/a b\n.css'), 'utf8')).toBe('b {}\n')
    const made = statSync(join(docroot, 'css/a b\n.css'))
    expect([made.uid, made.gid]).toEqual([uid, statSync(docroot).gid])
    for (const [method, rest, body] of [
      ['POST', '', { path: 'index.html', text: '' }],
      ['POST', '/directories', { path: 'css' }],
      ['POST', '/move', { path: 'css', to: 'index.html' }],
    ] as const)
      await expect(call(method, rest, body), rest).rejects.toMatchObject({ code: 'conflict' })
    expect(readdirSync(join(docroot, 'css'))).toEqual(['a b\n.css'])
    const trail = JSON.stringify(await machine.call('GET', '/audit?action=file.add'))
    expect(trail).toContain('css/site.css')
    expect(trail).not.toContain('a {}')
  })

  it('go to a trash and come back whole', async () => {
    const trash = async () =>
      ((await machine.call('GET', `/domains/${site}/files/trash`)) as { items: { name: string; path: string }[] }).items
    const restore = (name: string) => machine.call('POST', `/domains/${site}/files/restore`, { name })

    await machine.call('DELETE', `/domains/${site}/files?path=css`)
    const [one] = await trash()
    expect(one?.path).toBe('css')
    expect(existsSync(join(docroot, 'css'))).toBe(false)
    mkdirSync(join(docroot, 'css'))
    await expect(restore(one?.name ?? '')).rejects.toMatchObject({ code: 'conflict' })
    rmdirSync(join(docroot, 'css'))
    await restore(one?.name ?? '')

    expect(readFileSync(join(docroot, 'css/a b\n.css'), 'utf8')).toBe('b {}\n')
    expect(await trash()).toEqual([])
    await expect(restore(one?.name ?? '')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('are changed where people see them, while the tenant swaps directories for links', async () => {
    const outside = join(machine.places.customers.home('acme' as TenantName), 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), 'kept')
    for (const path of [outside, join(outside, 'kept')]) own(path)
    mkdirSync(join(docroot, 'swap-a'))
    own(join(docroot, 'swap-a'))
    symlinkSync(outside, join(docroot, 'swap-b'))
    const race = `${exchange} echo "begun\n"; for (;;) exchange('swap-a', 'swap-b');`
    const racer = await keepRunningAs({ uid }, race, docroot)
    let written = 0
    try {
      for (let round = 0; round < 200; round++) {
        const path = `swap-a/${round}`
        const isMade = await machine.call('POST', `/domains/${site}/files`, { path, text: 'x' }).then(
          () => true,
          () => false,
        )
        if (isMade) written++
        await machine.call('DELETE', `/domains/${site}/files?path=swap-a/kept`).catch(() => {})
      }
    } finally {
      await racer.end()
    }
    console.log(`${written} of 200 were written beside the racer`)
    expect(written).toBeGreaterThan(0)
    expect(readdirSync(outside)).toEqual(['kept'])
  }, 60_000)

  it('are read by a few processes, which end with the panel’s interest and a suspension', async () => {
    const many = Array.from({ length: 12 }, () => list().catch(({ code }: { code: string }) => code))
    const answers = await Promise.all(many)
    expect(answers.filter((one) => one === 'unavailable').length).toBeLessThan(12)
    expect(workers().length).toBeLessThanOrEqual(4)
    for (const { pid } of workers()) process.kill(pid, 'SIGKILL')
    expect((await list()).total).toBeGreaterThan(5)

    await machine.call('POST', '/tenants/acme/suspend', {})
    await machine.until('it is suspended', async () => (await tenantStatus()) === 'suspended')
    await machine.until('no worker is left', async () => workers().length === 0)
    await expect(list()).rejects.toMatchObject({ code: 'conflict' })
    await machine.call('POST', '/tenants/acme/unsuspend', {})
    await machine.until('it is back', async () => (await tenantStatus()) === 'active')
    expect((await list()).total).toBeGreaterThan(5)
  })

  it('are a hundred thousand in one directory, and a page of them comes at once', async () => {
    const many = join(docroot, 'many')
    mkdirSync(many)
    for (let nth = 0; nth < 100_000; nth++) writeFileSync(join(many, `file-${nth}.txt`), '')
    await list('?path=many')
    const times = []
    for (let round = 0; round < 5; round++) {
      const began = performance.now()
      expect((await list('?path=many&limit=100')).total).toBe(100_000)
      times.push(performance.now() - began)
      await sleep(50)
    }
    const median = times.toSorted((one, other) => one - other)[2] ?? 0
    console.log(`a page of 100,000 entries: ${Math.round(median)} ms`)
    expect(median).toBeLessThan(1000)
  })
})

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
