/** Reads the web server's logs backwards, a piece at a time, whatever their size: for one tenant, whose lines begin with its name. */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import type { LogAccess, LogScan, LogScanned, LogSource } from '../../resources/domain/log-access.ts'

/** Its lines are read in one go: some milliseconds. */
const pieceBytes = 256 * 1024
/** Of one scan; the next one goes on from there. */
const mostBytes = 192 * 1024 * 1024
/** Of one scan, too: each is taken apart. */
const mostLines = 100_000
const atOnce = 2
const mostWaiting = 32
/** More than the writer keeps. */
const mostFiles = 16

export interface WebLogReaderOptions {
  readonly directory: string
  readonly pieceBytes?: number
  readonly mostBytes?: number
  readonly mostLines?: number
}

/** The newest file first; `end`: as far as it is read. */
interface OpenLog {
  readonly file: FileHandle
  readonly inode: number
  readonly end: number
}

export class WebLogReader implements LogAccess {
  readonly #options: WebLogReaderOptions
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: WebLogReaderOptions) {
    this.#options = options
  }

  async scan(scan: LogScan, take: (line: string) => boolean): Promise<LogScanned> {
    await this.#turn()
    try {
      const logs = await openLogs(join(this.#options.directory, `${scan.source}.log`))
      try {
        return await this.#scanned(logs, scan, take)
      } finally {
        for (const { file } of logs) await file.close()
      }
    } finally {
      this.#leave()
    }
  }

  async #scanned(logs: readonly OpenLog[], scan: LogScan, take: (line: string) => boolean): Promise<LogScanned> {
    const { pieceBytes: size = pieceBytes, mostBytes: most = mostBytes, mostLines: lines = mostLines } = this.#options
    const newest = logs[0] === undefined ? placeOf(0, 0) : placeOf(logs[0].inode, logs[0].end)
    const buffer = Buffer.allocUnsafe(size)
    const begin = beginOf[scan.source](scan.tenant)
    const from = scan.cursor === undefined ? undefined : placeIn(scan.cursor)
    const stop = scan.after === undefined ? undefined : placeIn(scan.after)
    const first = from === undefined ? 0 : logs.findIndex(({ inode }) => inode === from.inode)
    let left = most
    let linesLeft = lines
    for (const { file, inode, end: length } of first === -1 ? [] : logs.slice(first)) {
      const least = stop?.inode === inode ? stop.offset : 0
      let end = from?.inode === inode ? Math.min(from.offset, length) : length
      while (end > least) {
        if (left <= 0) return { newest, next: placeOf(inode, end), isCut: true }
        const start = Math.max(least, end - size)
        const { bytesRead } = await file.read(buffer, 0, end - start, start)
        left -= bytesRead
        const piece = buffer.subarray(0, bytesRead)
        // The line that the piece begins within is read with the one before it; none is as long as a piece.
        const whole = start === least ? 0 : piece.indexOf(newline) + 1
        const isLine = start === least || whole > 0
        for (const [at, until] of isLine ? linesOf(piece, begin, whole) : [])
          if (!take(piece.toString('utf8', at, until)) || --linesLeft === 0)
            return { newest, next: placeOf(inode, start + at), isCut: linesLeft === 0 }
        end = start + whole
      }
      if (stop?.inode === inode) break
    }
    return { newest, next: null, isCut: false }
  }

  async #turn(): Promise<void> {
    if (this.#running < atOnce) this.#running++
    else if (this.#waiting.length < mostWaiting) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else
      throw new WcpError('unavailable', 'Cannot read the logs: too many others read them', {
        details: { retryAfterSeconds: 5 },
      })
  }

  /** Whose turn is next takes the place. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}

const newline = 0x0a

/** No visitor writes what a line begins with. */
const beginOf: Readonly<Record<LogSource, (tenant: string) => Buffer>> = {
  access: (tenant) => Buffer.from(`\n{"tenant":"${tenant}",`),
  error: (tenant) => Buffer.from(`\n${tenant} `),
}

/** Beginnings and ends of the lines that begin so, the last one first; a line without its end is still being written. */
function linesOf(piece: Buffer, begin: Buffer, from: number): [number, number][] {
  const found: [number, number][] = []
  const isFirst = piece.subarray(from, from + begin.length - 1).equals(begin.subarray(1))
  let at = isFirst ? from : beginningAfter(piece, begin, from)
  while (at !== undefined) {
    const end = piece.indexOf(newline, at)
    if (end === -1) break
    found.push([at, end])
    at = beginningAfter(piece, begin, end)
  }
  return found.reverse()
}

/** @param from at or before the end of the line before it */
function beginningAfter(piece: Buffer, begin: Buffer, from: number): number | undefined {
  const at = piece.indexOf(begin, from)
  return at === -1 ? undefined : at + 1
}

/** Files that are put aside meanwhile stay open. */
async function openLogs(path: string): Promise<OpenLog[]> {
  const logs: OpenLog[] = []
  for (let number = 0; number < mostFiles; number++) {
    const file = await openIfThere(number === 0 ? path : `${path}.${number}`)
    if (file === undefined) break
    const { ino: inode, size: end } = await file.stat()
    // put aside between two of these: it is open already
    if (logs.some((one) => one.inode === inode)) await file.close()
    else logs.push({ file, inode, end })
  }
  return logs
}

/** None where there is no such file, or one of a version whose logs the panel could not read. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
      return undefined
    throw error
  }
}

function placeOf(inode: number, offset: number): string {
  return `${inode}-${offset}`
}

/** Of a file that is gone nothing is found; nothing else can be asked for by a place. */
function placeIn(text: string): { readonly inode: number; readonly offset: number } {
  const [inode, offset] = text.split('-').map(Number)
  return { inode: inode ?? 0, offset: offset ?? 0 }
}
