import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuditEvent, sealHead } from './audit-line.ts'
import { AuditLog, auditFiles } from './audit-log.ts'
import { readKeptHead, writeKeptHead } from './kept-head.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

const key = Buffer.alloc(32, 1)
let directory = ''
let path = ''
let headPath = ''
let errors: string[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-audit-'))
  path = join(directory, 'audit.log')
  headPath = join(directory, 'audit.head')
  errors = []
})
afterEach(() => rmSync(directory, { recursive: true }))

function open(fileBytes?: number): AuditLog {
  const log = { info() {}, warn() {}, error: (_: object, message: string) => void errors.push(message) }
  return new AuditLog({
    path,
    headPath,
    key,
    appendOnly: false,
    now: () => new Date(),
    log,
    ...(fileBytes && { fileBytes }),
  })
}

function event(n: number): { agent: AuditEvent } {
  return { agent: { event: 'job.accepted', n, name: 'ü "\n' } }
}

/** A log of `count` events, closed. */
function written(count: number, fileBytes?: number): void {
  const log = open(fileBytes)
  for (let n = 1; n <= count; n++) log.append([event(n)])
  log.close()
}

const verify = () => verifyAuditLog({ path, headPath, key }, null)
const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const rewrite = (changed: string[]) => writeFileSync(path, changed.map((line) => `${line}\n`).join(''))

describe('the audit log', () => {
  it('is whole, also when it was opened again and again', async () => {
    written(3)
    written(2)

    expect(await verify()).toMatchObject({ ok: true, lines: 6, from: 1, last: 6, problems: [] })
    expect(errors).toEqual([])
  })

  it('goes on in a new file under the same chain', async () => {
    written(40, 2000)
    written(40, 2000)

    const files = auditFiles(path)
    expect(files.length).toBeGreaterThan(3)
    expect(await verify()).toMatchObject({ ok: true, from: 1, last: 80 + files.length })
  })

  it('says from which line on it is kept when the oldest files were taken away', async () => {
    written(40, 2000)
    const [oldest = '', second = ''] = auditFiles(path)
    rmSync(oldest)

    expect(await verify()).toMatchObject({ ok: true, from: Number(second.slice(-12)) })
  })

  it('finds a file that was taken out of the middle', async () => {
    written(40, 2000)
    rmSync(auditFiles(path)[1] ?? '')

    expect((await verify()).problems).toMatchObject([{ problem: 'missing' }])
  })

  const damage: [string, object, () => void][] = [
    [
      'an edited line',
      { line: 3, problem: 'changed' },
      () => rewrite(lines().map((line, at) => (at === 2 ? line.replace('"n":2', '"n":9') : line))),
    ],
    ['a removed line', { line: 3, problem: 'missing' }, () => rewrite(lines().toSpliced(2, 1))],
    ['a removed beginning', { problem: 'missing' }, () => rewrite(lines().slice(2))],
    [
      'lines that changed places',
      { problem: 'missing' },
      () => rewrite([0, 2, 1, 3, 4, 5].map((at) => lines()[at] ?? '')),
    ],
    [
      'a line that is there twice',
      { line: 3, problem: 'moved' },
      () => rewrite(lines().toSpliced(4, 0, lines()[2] ?? '')),
    ],
    ['a line that became no line', { line: 3, problem: 'missing' }, () => rewrite(lines().with(2, 'nothing'))],
    ['a cut end', { line: 6, problem: 'truncated' }, () => rewrite(lines().slice(0, 4))],
    ['an empty file', { line: 6, problem: 'truncated' }, () => truncateSync(path)],
    ['a lost end mark', { problem: 'head' }, () => rmSync(headPath)],
    [
      'a cut end with an end mark of its own',
      { problem: 'head' },
      () => {
        rewrite(lines().slice(0, 4))
        const text = readFileSync(headPath, 'utf8')
        writeFileSync(headPath, text.replace('"seq":6', '"seq":4'))
      },
    ],
  ]
  it.each(damage)('shows %s', async (_title, problem, change) => {
    written(5)

    change()

    const verdict = await verify()
    expect(verdict.ok).toBe(false)
    expect(verdict.problems[0]).toMatchObject(problem)
  })

  it('shows a log and an end mark that were both put back, by a head that was kept elsewhere', async () => {
    written(2)
    const [log, mark] = [readFileSync(path), readFileSync(headPath)]
    const open2 = open()
    open2.append([event(3)])
    const head = open2.head()
    open2.close()
    writeFileSync(path, log)
    writeFileSync(headPath, mark)

    expect((await verify()).ok).toBe(true)
    expect((await verifyAuditLog({ path, headPath, key }, head)).problems).toMatchObject([
      { line: 4, problem: 'truncated' },
    ])
    const forged = sealHead(Buffer.alloc(32, 2), { seq: 4, mac: head.mac }, head.at)
    expect((await verifyAuditLog({ path, headPath, key }, forged)).problems).toMatchObject([{ problem: 'head' }])
  })

  it('cannot be made without the key', async () => {
    written(2)

    const { problems } = await verifyAuditLog({ path, headPath, key: Buffer.alloc(32, 3) }, null)

    expect(problems.map(({ problem }) => problem)).toContain('changed')
  })

  it('goes on after a line that a crash or a full disk cut short', async () => {
    written(2)
    appendFileSync(path, '{"seq":4,"at":"20')
    written(2)

    expect(await verify()).toMatchObject({ ok: true, lines: 5, last: 5 })
    expect(lines()[3]).toBe('{"seq":4,"at":"20')
  })

  it('takes over what was written after the end mark', async () => {
    written(2)
    const old = readFileSync(headPath)
    written(2)
    writeFileSync(headPath, old)
    written(1)

    expect(await verify()).toMatchObject({ ok: true, last: 6 })
  })

  it('finds its place without an end mark', async () => {
    written(2)
    rmSync(headPath)
    written(1)

    expect(await verify()).toMatchObject({ ok: true, last: 4 })
  })

  it('tells of an end that was gone when it was opened, and of what is missing', async () => {
    written(5)
    rewrite(lines().slice(0, 3))
    written(1)

    expect(errors).toEqual(['end of the audit log is gone'])
    expect(lines().at(-2)).toContain('"log.cut","expected":6')
    expect((await verify()).problems).toMatchObject([{ line: 4, problem: 'missing' }])
  })

  it('ends a rotation that a crash interrupted, before and after the new name', async () => {
    for (const isRenamed of [false, true]) {
      rmSync(directory, { recursive: true })
      directory = mkdtempSync(join(tmpdir(), 'wcp-audit-'))
      path = join(directory, 'audit.log')
      headPath = join(directory, 'audit.head')
      written(3)
      const { last, end } = readKeptHead(headPath, key) ?? {
        last: { seq: 0, mac: '' },
        end: { sequence: 0, checksum: '' },
      }
      writeKeptHead(headPath, key, { last, end, size: 0 })
      if (isRenamed) renameSync(path, `${path}.000000000001`)

      written(1)

      expect(errors).toEqual([])
      expect(readdirSync(directory).sort()).toEqual(['audit.head', 'audit.log', 'audit.log.000000000001'])
      expect(await verify()).toMatchObject({ ok: true, last: 6 })
    }
  })

  it('counts a line whose end mark cannot be written, and says once that it is an old one', async () => {
    const log = open()
    log.append([event(1)])
    const mark = readFileSync(headPath)
    rmSync(headPath)
    mkdirSync(headPath)
    log.append([event(2)])
    log.append([event(3)])
    log.close()
    rmdirSync(headPath)
    writeFileSync(headPath, mark)

    expect(errors).toEqual(['mark of the end of the audit log cannot be written'])
    written(1)
    expect(await verify()).toMatchObject({ ok: true, last: 5 })
  })

  it('goes on in the same file after a rotation that failed, and rotates later', async () => {
    const log = open(2000)
    for (let n = 1; readFileSync(path).length <= 2000; n++) log.append([event(n)])
    const aside = `${path}.000000000001`
    mkdirSync(aside)

    expect(() => log.append([event(0)])).toThrow('EISDIR')
    expect(() => log.append([event(0)])).toThrow('EISDIR')
    rmdirSync(aside)
    log.append([event(0)])
    log.close()

    expect(auditFiles(path)).toEqual([aside, path])
    expect(await verify()).toMatchObject({ ok: true })
  })
})
