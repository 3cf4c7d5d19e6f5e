import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TenantName } from '../../contract/values.ts'
import { WebLogReader } from './web-log-reader.ts'

let directory: string
const tenant = TenantName.parse('acme')

beforeEach(() => {
  directory = mkdtempSync('/tmp/wcp-web-log-')
})

afterEach(() => rmSync(directory, { recursive: true }))

const path = (name = 'access.log') => join(directory, name)
const line = (number: number, of = 'acme') => `{"tenant":"${of}","time":"x","n":${number}}\n`
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

interface Wish {
  readonly cursor?: string
  readonly after?: string
  readonly most?: number
}

function reader(options: { pieceBytes?: number; mostBytes?: number; mostLines?: number } = {}): WebLogReader {
  return new WebLogReader({ directory, ...options })
}

async function read(of: WebLogReader, { cursor, after, most = Infinity }: Wish = {}) {
  const numbers: number[] = []
  const scanned = await of.scan({ source: 'access', tenant, cursor, after }, (text) => {
    numbers.push(JSON.parse(text).n)
    return numbers.length < most
  })
  return { ...scanned, numbers }
}

describe('the log of requests', () => {
  it('is read from its newest line back, over files that were put aside, of one tenant alone', async () => {
    writeFileSync(
      path('access.log.2'),
      range(0, 3)
        .map((n) => line(n))
        .join(''),
    )
    writeFileSync(
      path('access.log.1'),
      line(3) + line(90, 'acmes') + line(91, 'other') + '{"time":"x","n":92}\n' + line(4),
    )
    writeFileSync(path(), line(93, 'other') + line(5))

    expect((await read(reader())).numbers).toEqual([5, 4, 3, 2, 1, 0])
  })

  it.each([40, 41, 64, 100, 1000])(
    'is the same in pieces of %i bytes, and in pages of any size',
    async (pieceBytes) => {
      writeFileSync(
        path('access.log.1'),
        range(0, 25)
          .map((n) => line(n, n % 3 === 0 ? 'other' : 'acme'))
          .join(''),
      )
      writeFileSync(
        path(),
        range(25, 50)
          .map((n) => line(n, n % 3 === 0 ? 'other' : 'acme'))
          .join(''),
      )
      const all = range(0, 50)
        .filter((n) => n % 3 !== 0)
        .reverse()
      const small = reader({ pieceBytes })

      for (const most of [1, 2, 7]) {
        const numbers: number[] = []
        let cursor: string | undefined
        do {
          const page = await read(small, { most, ...(cursor !== undefined && { cursor }) })
          numbers.push(...page.numbers)
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
        expect(numbers).toEqual(all)
      }
    },
  )

  it('goes on with what came since, also when the file was put aside meanwhile', async () => {
    writeFileSync(path(), line(1) + line(2))
    const { newest } = await read(reader())
    appendFileSync(path(), line(3))
    renameSync(path(), path('access.log.1'))
    writeFileSync(path(), line(4))

    const later = await read(reader(), { after: newest })

    expect(later.numbers).toEqual([4, 3])
    expect(later.next).toBeNull()
    expect((await read(reader(), { after: later.newest })).numbers).toEqual([])
  })

  it('does not show a line that is still being written', async () => {
    writeFileSync(path(), line(1) + line(2).slice(0, -4))

    expect((await read(reader())).numbers).toEqual([1])
  })

  it('stops after so many bytes or lines, says so, and can be gone on with', async () => {
    writeFileSync(
      path(),
      range(0, 100)
        .map((n) => line(n))
        .join(''),
    )
    for (const options of [{ pieceBytes: 500, mostBytes: 1000 }, { mostLines: 30 }]) {
      const first = await read(reader(options))
      expect(first.isCut).toBe(true)
      expect(first.numbers.length).toBeGreaterThan(10)
      expect(first.numbers.length).toBeLessThan(60)

      const rest = await read(reader(), { cursor: first.next ?? '' })
      expect([...first.numbers, ...rest.numbers]).toEqual(range(0, 100).reverse())
    }
  })

  it('has nothing before a place whose file is gone, and nothing where there is no log', async () => {
    expect(await read(reader())).toEqual({ numbers: [], newest: '0-0', next: null, isCut: false })
    writeFileSync(path(), line(1))

    expect((await read(reader(), { cursor: '1-10' })).numbers).toEqual([])
  })

  it('turns away who is one too many of a crowd, and serves all others', async () => {
    writeFileSync(path(), line(1))
    const one = reader()
    const all = await Promise.allSettled(range(0, 40).map(() => read(one)))

    const refused = all.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(40 - 2 - 32)
    expect((await read(one)).numbers).toEqual([1])
  })
})
