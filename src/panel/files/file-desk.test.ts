/** The desk and a worker as they are, in one process, over a real socket and real files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileEntry, FileList, FileTrash } from '../../contract/file-wire.ts'
import { Id } from '../../contract/values.ts'
import { serve } from '../../file-worker/serve.ts'
import { FileLine } from '../../lib/file-line.ts'
import { FileDesk } from './file-desk.ts'

const site = { tenant: Id.parse(crypto.randomUUID()), domain: Id.parse(crypto.randomUUID()) }

let home: string
let root: string
let desk: FileDesk
/** Resolves when the last worker has ended. */
let served: Promise<void>

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'wcp-desk-'))
  root = join(home, 'public')
  mkdirSync(root)
  const socket = join(home, 'files.sock')
  desk = new FileDesk({
    async ask(question, schema) {
      const worker = connect(socket)
      await once(worker, 'connect')
      worker.write('channel' in question ? question.channel : '')
      served = work(worker)
      return schema.parse(null)
    },
  })
  await desk.listen(socket)
})
afterEach(async () => {
  await desk.close()
  rmSync(home, { recursive: true })
})

async function work(socket: Socket): Promise<void> {
  const line = new FileLine(socket)
  await line.say({ hello: 1 })
  await serve(line, { root, trash: join(home, 'trash/site') }).catch(() => socket.destroy())
}

const at = (path: string) => join(root, path)
const list = (path = '') => desk.ask(site, { do: 'list', path, after: null, limit: 100 }, FileList)
const show = (path: string) => desk.ask(site, { do: 'show', path }, FileEntry)
const trash = () => desk.ask(site, { do: 'list-trash' }, FileTrash)
async function* bytes(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece)
}

describe('a file', () => {
  it('is written whole, with the permissions that it had', async () => {
    await desk.write(site, 'a', 'nothing', bytes('one ', 'two'))
    chmodSync(at('a'), 0o600)
    await desk.write(site, 'a', { tag: (await show('a')).tag }, bytes('three'))

    expect(readFileSync(at('a'), 'utf8')).toBe('three')
    expect(statSync(at('a')).mode & 0o777).toBe(0o600)
    expect(readdirSync(root)).toEqual(['a'])
  })

  it('is not overwritten by who did not see it as it is', async () => {
    await desk.write(site, 'a', 'nothing', bytes('one'))
    const { tag } = await show('a')
    writeFileSync(at('a'), 'by somebody else')

    await expect(desk.write(site, 'a', { tag }, bytes('two'))).rejects.toMatchObject({ code: 'precondition_failed' })
    await expect(desk.write(site, 'a', 'nothing', bytes('two'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(desk.write(site, 'b', { tag }, bytes('two'))).rejects.toMatchObject({ code: 'precondition_failed' })
    expect(readFileSync(at('a'), 'utf8')).toBe('by somebody else')
    expect(readdirSync(root)).toEqual(['a'])
  })

  it('leaves nothing when its bytes break off', async () => {
    async function* broken() {
      yield Buffer.alloc(200_000)
      throw new Error('the visitor left')
    }
    await expect(desk.write(site, 'a', 'nothing', broken())).rejects.toMatchObject({ code: 'unavailable' })
    await served
    expect(readdirSync(root)).toEqual([])
  })

  it('is refused while its bytes would still come, and takes none of them', async () => {
    writeFileSync(at('a'), 'kept')
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield Buffer.alloc(64 * 1024)
        if (given > 1000) throw new Error('nobody stopped it')
      }
    }
    async function* slow() {
      yield Buffer.from('one')
      await new Promise(() => {})
    }

    await expect(desk.write(site, 'a', 'nothing', endless())).rejects.toMatchObject({ code: 'conflict' })
    await expect(desk.write(site, 'a', 'nothing', slow())).rejects.toMatchObject({ code: 'conflict' })
    await desk.write(site, 'b', 'nothing', bytes('two')) // by the worker that has refused

    expect([readdirSync(root), readFileSync(at('a'), 'utf8')]).toEqual([['a', 'b'], 'kept'])
  })

  it('takes the place of whatever file is there, where that is asked for', async () => {
    writeFileSync(at('a'), 'old')
    await desk.write(site, 'a', 'anything', bytes('new'))
    await desk.write(site, 'b', 'anything', bytes(''))

    expect([readFileSync(at('a'), 'utf8'), readFileSync(at('b'), 'utf8')]).toEqual(['new', ''])
    await expect(desk.write(site, '', 'anything', bytes(''))).rejects.toMatchObject({ code: 'bad_input' })
  })

  it('is read piece by piece, and the next request is answered after one that was left', async () => {
    writeFileSync(at('big'), Buffer.alloc(3_000_000, 'x'))
    const left = await desk.read(site, 'big')
    left.bytes.destroy()
    const whole = await desk.read(site, 'big')
    let size = 0
    for await (const piece of whole.bytes) size += (piece as Buffer).length

    expect(size).toBe(3_000_000)
    expect((await list()).entries.map(({ name }) => name)).toEqual(['big'])
  })
})

it('moves and makes directories, and replaces nothing', async () => {
  await desk.change(site, { do: 'make-directory', path: 'css' })
  await desk.write(site, 'css/a', 'nothing', bytes('a'))
  await desk.change(site, { do: 'move', path: 'css/a', to: 'css/%0A' })
  await desk.write(site, 'css/a', 'nothing', bytes('b'))

  await expect(desk.change(site, { do: 'make-directory', path: 'css' })).rejects.toMatchObject({ code: 'conflict' })
  await expect(desk.change(site, { do: 'move', path: 'css/a', to: 'css/%0A' })).rejects.toMatchObject({
    code: 'conflict',
  })
  await expect(desk.change(site, { do: 'move', path: 'none', to: 'x' })).rejects.toMatchObject({ code: 'not_found' })
  await expect(desk.change(site, { do: 'move', path: 'css', to: 'css/css' })).rejects.toThrow('Cannot move')
  expect(readdirSync(at('css')).toSorted()).toEqual(['\n', 'a'])
})

it('deletes into a trash, and brings back', async () => {
  await desk.change(site, { do: 'make-directory', path: 'css' })
  await desk.write(site, 'css/a', 'nothing', bytes('a'))
  symlinkSync('/etc', at('link'))

  await desk.change(site, { do: 'trash', path: 'css' })
  await desk.change(site, { do: 'trash', path: 'link' })
  const [link, css] = await trash()
  expect([link?.path, css?.path, readdirSync(root)]).toEqual(['link', 'css', []])
  mkdirSync(at('css'))
  const restore = { do: 'restore', name: css?.name ?? '' } as const
  await expect(desk.change(site, restore)).rejects.toMatchObject({ code: 'conflict' })
  rmSync(at('css'), { recursive: true })
  await desk.change(site, restore)

  expect(readFileSync(at('css/a'), 'utf8')).toBe('a')
  expect((await trash()).map(({ path }) => path)).toEqual(['link'])
  await expect(desk.change(site, restore)).rejects.toMatchObject({ code: 'not_found' })
  expect(existsSync('/etc/passwd')).toBe(true)
})

it('follows no link that is put on the way (C07)', async () => {
  const outside = join(home, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), 'kept')
  mkdirSync(at('swap'))
  symlinkSync(outside, at('other'))
  const race = `const { renameSync: r } = require('node:fs'); process.stdout.write('begun');
    for (;;) try { r('swap', 'x'); r('other', 'swap'); r('x', 'other'); } catch { break }`
  const racer: ChildProcess = spawn(process.execPath, ['-e', race], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(racer.stdout ?? racer, 'data')
  let written = 0
  for (let round = 0; round < 300; round++) {
    const isWritten = await desk.write(site, `swap/${round}`, 'nothing', bytes('x')).then(
      () => true,
      () => false,
    )
    if (isWritten) written++
    await desk.change(site, { do: 'trash', path: 'swap/kept' }).catch(() => {})
  }
  const isRacing = racer.exitCode === null
  racer.kill('SIGKILL')

  expect([isRacing, written > 0]).toEqual([true, true])
  expect(readdirSync(outside)).toEqual(['kept'])
}, 60_000)

it('believes no worker that answers something else', async () => {
  const answers = [
    { value: { entries: [], hasMore: false } },
    { failure: { code: 'internal', message: 'x' } },
    [],
    null,
  ]
  for (const answer of answers) {
    const rogue = new FileDesk({
      async ask(question, schema) {
        const worker = connect(join(home, 'rogue.sock'))
        await once(worker, 'connect')
        worker.write('channel' in question ? question.channel : '')
        const line = new FileLine(worker)
        void line.say({ hello: 1 }).then(() => line.say(answer))
        return schema.parse(null)
      },
    })
    await rogue.listen(join(home, 'rogue.sock'))
    const asked = rogue.ask(site, { do: 'list', path: '', after: null, limit: 1 }, FileList)
    await expect(asked, JSON.stringify(answer)).rejects.toMatchObject({ code: 'unavailable' })
    await rogue.close()
  }
})
