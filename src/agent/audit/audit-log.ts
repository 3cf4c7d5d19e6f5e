/**
 * The root side's audit log as files: lines are only ever added, each is on the disk when `append` returns, and a full file
 * is put aside under the number of its first line. The chain runs on from file to file.
 *
 * Everything here is one system call after the other, without a wait between: what is written down is written before the
 * deed that it tells of goes on.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { type AuditHead, TrailEnd } from '../../contract/wire.ts'
import type { Log } from '../log.ts'
import { reserveBehind, setAppendOnly } from '../os/append-only.ts'
import {
  type AuditRecord,
  follows,
  type LineEnd,
  noLine,
  noTrail,
  readLine,
  sealHead,
  writeLine,
} from './audit-line.ts'
import { type KeptHead, readKeptHead, writeKeptHead } from './kept-head.ts'

export interface AuditLogOptions {
  /** Absolute; its directory belongs to root and nobody else may write in it. */
  readonly path: string
  readonly headPath: string
  readonly key: Uint8Array
  /** Set the attribute that forbids anything but adding. */
  readonly appendOnly: boolean
  readonly now: () => Date
  readonly log: Log
  /** A file that is longer is put aside; 16 MiB unless told. */
  readonly fileBytes?: number
}

const defaultFileBytes = 16 * 1024 * 1024
const reserveBytes = 1024 * 1024

export class AuditLog {
  readonly #options: AuditLogOptions
  #fd = -1
  #last: LineEnd = noLine
  #end: TrailEnd = noTrail
  /** Number of the first line of the present file. */
  #first = 1
  #size = 0
  /** Up to here blocks of the disk are the file's, if it could be had. */
  #reserved = 0
  /** The last line is incomplete: a crash or a full disk left it there, and an append-only file keeps it. */
  #isTorn = false
  /** The mark of the end could not be written, which was told. */
  #isMarkOld = false

  /** @throws when the files cannot be read or written. */
  constructor(options: AuditLogOptions) {
    this.#options = options
    const kept = readKeptHead(options.headPath, options.key)
    if (kept !== undefined) this.#last = kept.last
    if (kept !== undefined) this.#end = kept.end
    this.#finishRotation(kept)
    this.#openFile()
    const isCut = kept !== undefined && fileSize(this.#fd) < kept.size
    this.#catchUp(kept?.size ?? 0)
    if (this.#size === 0) this.#write([{ opened: { previous: this.#last, end: this.#end } }])
    if (isCut) {
      options.log.error({ expected: kept.last.seq }, 'end of the audit log is gone')
      this.append([{ agent: { event: 'log.cut', expected: kept.last.seq } }])
    }
  }

  /** How far the panel's trail is written here. */
  get end(): TrailEnd {
    return this.#end
  }

  get last(): LineEnd {
    return this.#last
  }

  head(): AuditHead {
    return sealHead(this.#options.key, this.#last, this.#options.now().toISOString())
  }

  /** All of them are on the disk when it returns. @throws when that is not so; then none counts. */
  append(records: readonly AuditRecord[]): void {
    const isFull = this.#size > (this.#options.fileBytes ?? defaultFileBytes)
    if (isFull && hasRoom(dirname(this.#options.path))) this.#rotate()
    this.#write(records)
  }

  close(): void {
    closeSync(this.#fd)
    this.#fd = -1
  }

  #write(records: readonly AuditRecord[]): void {
    const { key, now } = this.#options
    const at = now().toISOString()
    let last = this.#last
    const lines = records.map((record) => {
      const [text, next] = writeLine(key, last, at, record)
      last = next
      return text
    })
    const bytes = Buffer.from(`${this.#isTorn ? '\n' : ''}${lines.join('\n')}\n`)
    try {
      const written = writeSync(this.#fd, bytes)
      if (written < bytes.length) throw new WcpError('machine_failed', 'Cannot write the audit log: the disk is full')
      fdatasyncSync(this.#fd)
    } catch (error) {
      this.#catchUp(this.#size)
      throw error
    }
    this.#isTorn = false
    this.#size += bytes.length
    this.#keepRoom()
    this.#last = last
    for (const record of records) this.#end = endAfter(this.#end, record)
    this.#keepHead(this.#size)
  }

  /** Takes the lines that are in the file from `from` on: what a crash left there, or a write that was cut short. */
  #catchUp(from: number): void {
    const size = fileSize(this.#fd)
    const text = readFrom(this.#fd, Math.min(from, size), size)
    const parts = text.split('\n')
    this.#isTorn = parts.pop() !== ''
    for (const part of parts) {
      const read = readLine(part)
      if (read === undefined) continue
      const { line, body, mac } = read
      // The first line of the oldest file says itself what it follows.
      if (this.#last.seq === 0 && 'opened' in line) this.#last = line.opened.previous
      if (!follows(this.#options.key, this.#last, body, mac)) continue
      if ('opened' in line) this.#first = line.seq
      this.#last = { seq: line.seq, mac }
      this.#end = endAfter(this.#end, line)
    }
    this.#size = size
    if (size > 0) this.#first = firstLineOf(this.#fd) ?? this.#first
    this.#keepHead(size)
  }

  /** Until the new file is open the old one is the log: what fails here is tried again at the next line. */
  #rotate(): void {
    const { headPath, key } = this.#options
    writeKeptHead(headPath, key, { last: this.#last, end: this.#end, size: 0 })
    const old = this.#fd
    this.#putAside()
    this.#openFile()
    closeSync(old)
    this.#size = 0
    this.#reserved = 0
    this.#isTorn = false
    this.#first = this.#last.seq + 1
    this.#write([{ opened: { previous: this.#last, end: this.#end } }])
  }

  /** A crash between "a new file begins" and the new name of the old one. */
  #finishRotation(kept: KeptHead | undefined): void {
    if (kept?.size !== 0 || kept.last.seq === 0) return
    const text = textOf(this.#options.path)
    const first = readLine(text.slice(0, text.indexOf('\n')))?.line
    if (first === undefined || first.seq > kept.last.seq) return
    this.#first = first.seq
    this.#putAside()
  }

  #putAside(): void {
    const { path, appendOnly } = this.#options
    const aside = `${path}.${String(this.#first).padStart(12, '0')}`
    setAppendOnly(path, false)
    if (existsSync(path)) renameSync(path, aside) // else it has its new name already, and what came after failed
    if (appendOnly) setAppendOnly(aside, true)
    const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
    fsyncSync(directory)
    closeSync(directory)
  }

  #openFile(): void {
    const { path, appendOnly, log } = this.#options
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
    this.#fd = openSync(path, flags, 0o600)
    if (!appendOnly) return
    const reason = setAppendOnly(path, true)
    if (reason !== undefined) log.warn({ reason, path }, 'file of the audit log cannot be made append-only')
  }

  /** So much is already the file's when the disk is full: suspensions and deletions can still be written down. */
  #keepRoom(): void {
    if (this.#size + reserveBytes / 2 < this.#reserved) return
    reserveBehind(this.#fd, this.#size, reserveBytes)
    this.#reserved = this.#size + reserveBytes
  }

  /** The lines count without it: behind an old mark the next start finds them. */
  #keepHead(size: number): void {
    const { headPath, key, log } = this.#options
    try {
      writeKeptHead(headPath, key, { last: this.#last, end: this.#end, size })
      this.#isMarkOld = false
    } catch (err) {
      if (!this.#isMarkOld) log.error({ err, path: headPath }, 'mark of the end of the audit log cannot be written')
      this.#isMarkOld = true
    }
  }
}

/** Oldest first; the present file last. */
export function auditFiles(path: string): readonly string[] {
  const name = basename(path)
  const aside = readdirSync(dirname(path)).filter((one) => one.startsWith(`${name}.`) && /\.\d{12,}$/.test(one))
  return [...aside.sort().map((one) => join(dirname(path), one)), path]
}

/** Where the panel's trail stands after a record. */
export function endAfter(end: TrailEnd, record: AuditRecord | { readonly agent: object }): TrailEnd {
  if ('panel' in record) return { sequence: record.panel.sequence, checksum: record.panel.checksum }
  if ('opened' in record) return record.opened.end
  const summed = SummedUp.safeParse(record.agent).data
  return summed === undefined ? end : { sequence: summed.sequence, checksum: summed.checksum }
}

const SummedUp = z.object({ ...TrailEnd.shape, event: z.literal('trail.summed') })

/** A new file begins without a reserve: on a full disk the old one goes on. */
function hasRoom(directory: string): boolean {
  const { bsize, bfree } = statfsSync(directory)
  return bsize * bfree > 4 * reserveBytes
}

function fileSize(fd: number): number {
  return fstatSync(fd).size
}

function readFrom(fd: number, from: number, to: number): string {
  const buffer = Buffer.alloc(to - from)
  let filled = 0
  while (filled < buffer.length) {
    const read = readSync(fd, buffer, filled, buffer.length - filled, from + filled)
    if (read === 0) break
    filled += read
  }
  return buffer.subarray(0, filled).toString('utf8')
}

function firstLineOf(fd: number): number | undefined {
  const text = readFrom(fd, 0, Math.min(fileSize(fd), 4096))
  return readLine(text.slice(0, text.indexOf('\n')))?.line.seq
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // missing: the rotation had come so far
  }
}
