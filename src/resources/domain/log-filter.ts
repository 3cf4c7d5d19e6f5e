/** Which lines of a log are looked for. */
import { z } from 'zod'
import { Line } from '../../contract/values.ts'
import { canonicalRange, isWithin } from '../../lib/address-range.ts'
import { Moment } from '../../lib/moment.ts'
import { Flag } from '../listing.ts'
import type { LogEntry } from './log-line.ts'

const Range = Line.max(60).transform((text, context) => {
  const read = canonicalRange(text)
  if ('range' in read) return read.range
  context.addIssue({ code: 'custom', message: 'an address or a range, such as 203.0.113.7 or 2001:db8::/32' })
  return z.NEVER
})

export const periodInput = {
  since: Moment.optional().describe('Lines from this day or moment on, in UTC'),
  until: Moment.optional().describe('Lines before this day or moment, in UTC'),
}

export const filterInput = {
  errors: Flag.default(false).describe('The log of errors instead of that of requests'),
  status: z
    .string()
    .regex(/^[1-5](?:\d\d|xx)$/, { error: 'a status such as 404, or all of a kind such as 5xx' })
    .optional()
    .describe('Requests with this status only, such as 404 or 5xx'),
  path: Line.max(1000).optional().describe('Lines about addresses that begin so, such as /blog/'),
  address: Range.optional().describe('Lines of visitors from this address or range only'),
  search: Line.max(253, { error: 'at most 253 characters' })
    .optional()
    .describe('Text anywhere in a line, whatever its capitals'),
  ...periodInput,
}

export interface LogFilter {
  readonly status?: string | undefined
  readonly path?: string | undefined
  readonly address?: string | undefined
  readonly search?: string | undefined
  readonly until?: string | undefined
}

export function filterOf({ status, path, address, search, until }: LogFilter): (entry: LogEntry) => boolean {
  const wanted = search?.toLowerCase()
  const digits = status?.replace('xx', '')
  return (entry) =>
    (until === undefined || entry.time < until) &&
    (digits === undefined || (entry.status !== null && String(entry.status).startsWith(digits))) &&
    (path === undefined || entry.uri.startsWith(path)) &&
    (address === undefined || isWithin([address], entry.remote)) &&
    (wanted === undefined ||
      [entry.uri, entry.agent, entry.referer, entry.text, entry.remote].some((text) =>
        text.toLowerCase().includes(wanted),
      ))
}
