/** Lines of the web server's logs as what they say. Much of it strangers wrote: it becomes text that shows itself and does nothing. */
import { z } from 'zod'
import type { LogSource } from './log-access.ts'

export const LogEntry = z.strictObject({
  /** ISO 8601, UTC; the log counts whole seconds. */
  time: z.string(),
  host: z.string(),
  /** Of the answer; null in the log of errors. */
  status: z.int().nullable(),
  /** How bad it is, in the log of errors alone: error, crit, … */
  level: z.string().nullable(),
  remote: z.string(),
  method: z.string(),
  /** As it was asked for, with its query. */
  uri: z.string(),
  /** Bytes of the answer. */
  sent: z.int().nullable(),
  seconds: z.number().nullable(),
  referer: z.string(),
  agent: z.string(),
  /** What the web server says of the error. */
  text: z.string(),
})
export type LogEntry = z.output<typeof LogEntry>

/** Lines of the tenant's that were not written, because its share was used up. */
export interface DroppedLines {
  readonly time: string
  readonly dropped: number
}

const Request = z.object({
  time: z.string(),
  host: z.string(),
  remote: z.string(),
  method: z.string(),
  uri: z.string(),
  status: z.int(),
  sent: z.number(),
  seconds: z.number(),
  referer: z.string(),
  agent: z.string(),
})
const Dropped = z.object({ time: z.string(), dropped: z.int() })

/** Undefined for a line that says neither. */
export function readLine(source: LogSource, line: string): LogEntry | DroppedLines | undefined {
  return source === 'access' ? readRequest(line) : readError(line)
}

function readRequest(line: string): LogEntry | DroppedLines | undefined {
  const said = jsonOf(line)
  const request = Request.safeParse(said).data
  if (request === undefined) return readDropped(said)
  const time = momentOf(request.time)
  if (time === undefined) return undefined
  const { host, remote, method, uri, status, sent, seconds, referer, agent } = request
  return {
    time,
    host: shownText(host),
    status,
    level: null,
    remote: shownText(remote),
    method: shownText(method),
    uri: shownText(uri),
    sent: Math.round(sent),
    seconds,
    referer: shownText(referer),
    agent: shownText(agent),
    text: '',
  }
}

function readDropped(said: unknown): DroppedLines | undefined {
  const found = Dropped.safeParse(said).data
  const time = found && momentOf(found.time)
  return found && time !== undefined ? { time, dropped: found.dropped } : undefined
}

/** `acme 2026/11/28 20:27:22 [error] 12#12: *3 open() "/x" failed, client: 192.0.2.1, server: …, host: "shop.example.com"` */
const errorLine = /^\S+ (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) \[(\w+)\] (?:\d+#\d+: )?(?:\*\d+ )?(.*)$/s
const droppedLine = /^\S+ (\S+Z) \[warn\] wcp360: (\d{1,15}) lines of /

function readError(line: string): LogEntry | DroppedLines | undefined {
  const [, year, month, day, clock, level = '', rest = ''] = errorLine.exec(line) ?? []
  if (year === undefined) {
    const [, at = '', dropped] = droppedLine.exec(line) ?? []
    const time = momentOf(at)
    return dropped === undefined || time === undefined ? undefined : { time, dropped: Number(dropped) }
  }
  // nginx writes the clock of this machine
  const time = momentOf(`${year}-${month}-${day}T${clock}`)
  if (time === undefined) return undefined
  // The writer gives a line to a tenant only where one host is named in it.
  const before = rest.indexOf(', client: ')
  const about = before === -1 ? '' : rest.slice(before)
  const [, remote = ''] = /^, client: ([0-9a-f.:]{2,45})/.exec(about) ?? []
  const [, method = '', uri = ''] = /, request: "([A-Z]{1,20}) (\S{1,4000}) HTTP\//.exec(about) ?? []
  const [, host = ''] = /, host: "([^":]{1,253})/.exec(rest) ?? []
  return {
    time,
    host: shownText(host.toLowerCase()),
    status: null,
    level,
    remote,
    method,
    uri: shownText(uri),
    sent: null,
    seconds: null,
    referer: '',
    agent: '',
    text: shownText(before === -1 ? rest : rest.slice(0, before)),
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function momentOf(text: string): string | undefined {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

/** What ends a line, moves a cursor, turns the direction of reading or is not to be seen: as its number, as in `\u{202e}`. */
export function shownText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
}
