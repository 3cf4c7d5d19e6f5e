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
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
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

  const typed = (...words: string[]) => fed(null, ...words)

  /** @param given what a shell sends into its standard input */
  async function fed(
    given: Readable | null,
    ...words: string[]
  ): Promise<{ code: number; out: string; err: string; bytes: Buffer }> {
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
    const around = { output, ask, env: {}, isTerminal: false, places: layout, onInterrupt() {}, bytes, given }
    const code = await wcp(all, around)
    return { code, ...said, bytes: Buffer.concat(pieces) }
  }

  const names = () => readdirSync(docroot)
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${machine.pids.panel}/status`))?.[1]) / 1024

  const putting = (name: string, headers: OutgoingHttpHeaders, answered: (status: number | undefined) => void) => {
    const path = `/api/v1/domains/${site}/files/content?path=${name}`
    const type = { host: 'localhost', 'content-type': 'application/octet-stream' }
    const options = { socketPath: machine.places.cliSocket, method: 'PUT', path, headers: { ...type, ...headers } }
    const sent = request(options, ({ statusCode }) => answered(statusCode))
    return sent.on('error', () => {})
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

  it('are uploaded from standard input, whatever is in them, and replace nothing unasked', async () => {
    const big = randomBytes(24 * 1024 * 1024)
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    const upload = (bytes: Readable | null, ...words: string[]) => fed(bytes, 'file', 'upload', site, ...words)

    const first = await upload(Readable.from([big]), 'up%0A%FF%25%20%C3%BC.bin')
    const path = Buffer.concat([Buffer.from(join(docroot, 'up\n')), Buffer.from([0xff]), Buffer.from('% ü.bin')])
    const again = await upload(Readable.from(['small']), 'up%0A%FF%25%20%C3%BC.bin')
    const kept = digest(readFileSync(path))
    const asked = await upload(Readable.from(['small']), 'up%0A%FF%25%20%C3%BC.bin', '--replace')
    const empty = await upload(Readable.from([]), 'empty')
    const planned = await upload(null, 'planned', '--plan')

    expect(first).toMatchObject({ code: 0, err: '' })
    expect([again.code, kept]).toEqual([6, digest(big)])
    expect(again.err).toContain('it is there already')
    expect([asked.code, readFileSync(path, 'utf8')]).toEqual([0, 'small'])
    expect([empty.code, statSync(join(docroot, 'empty')).size]).toEqual([0, 0])
    expect([statSync(path).uid, statSync(path).mode & 0o777]).toEqual([uid, 0o644])
    expect([planned.code, existsSync(join(docroot, 'planned'))]).toEqual([0, false])
    expect((await upload(null, 'typed')).err).toContain('Cannot take a file from the keyboard')
    const trail = JSON.stringify(await machine.call('GET', '/audit?action=file.upload'))
    expect(trail).toContain('up%0A%FF%25%20%C3%BC.bin')
    rmSync(path)
    rmSync(join(docroot, 'empty'))
  })

  it('are refused at once, however much would follow', async () => {
    let given = 0
    const endless = new Readable({
      read() {
        given += 65_536
        setTimeout(() => this.push(Buffer.alloc(65_536)), 1)
      },
    })
    const began = performance.now()
    const refused = await fed(endless, 'file', 'upload', site, 'index.html')
    expect([refused.code, refused.err]).toEqual([6, expect.stringContaining('it is there already')])
    expect(performance.now() - began).toBeLessThan(5000)
    expect(given).toBeLessThan(16 * 1024 * 1024)

    const answer = Promise.withResolvers<number | undefined>()
    const sent = putting('huge', { 'content-length': 17 * 1024 ** 3 }, answer.resolve)
    sent.write('x')
    expect(await answer.promise).toBe(413)
    sent.destroy()
    expect(names()).not.toContain('huge')
  })

  it('leave nothing behind when the connection breaks off', async () => {
    const sent = putting('broken', {}, () => {})
    sent.write(Buffer.alloc(3_000_000))
    await machine.until('its bytes are there', async () => names().some((name) => name.startsWith('.wcp-upload-')))
    sent.destroy()
    await machine.until('they are gone', async () => !names().some((name) => name.startsWith('.wcp-upload-')))

    expect(names()).not.toContain('broken')
    expect((await list()).total).toBeGreaterThan(5)
  })

  it('go through the panel without room for them in its memory', async () => {
    const piece = randomBytes(1024 * 1024)
    let most = 0
    async function megabytes(count: number): Promise<void> {
      let left = count
      const many = new Readable({
        read() {
          most = Math.max(most, memory())
          this.push(left-- > 0 ? piece : null)
        },
      })
      const { code } = await fed(many, 'file', 'upload', site, 'large', '--replace')
      expect([code, statSync(join(docroot, 'large')).size]).toEqual([0, count * 1024 * 1024])
    }
    const first = memory()
    await megabytes(64) // as much as the engine lets lie before it collects
    const [before, began] = [memory(), performance.now()]
    most = 0

    await megabytes(500)

    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    rmSync(join(docroot, 'large'))
    console.log(`500 MB in ${seconds} s; the panel: ${[first, before, most].map(Math.round).join(', ')} MB`)
    expect(most - before).toBeLessThan(32)
  }, 180_000)

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
