/** Counts what occurs most among requests, in bounded space: what comes up after so many others is counted together. */
import { z } from 'zod'
import { Count } from '../answers.ts'
import type { LogEntry } from './log-line.ts'

/** Different ones of each list. */
const mostKept = 20_000
const mostShown = 10
const longest = 300

export const TopList = z.array(z.strictObject({ name: z.string(), requests: Count, sent: Count }))
export type TopList = z.output<typeof TopList>

interface Found {
  requests: number
  sent: number
}

export interface Tops {
  count(entry: LogEntry): void
  result(): {
    readonly requests: number
    readonly sent: number
    readonly from: string | null
    readonly statuses: TopList
    readonly paths: TopList
    readonly addresses: TopList
    readonly agents: TopList
  }
}

export function topsOf(): Tops {
  const found = {
    statuses: new Map<string, Found>(),
    paths: new Map<string, Found>(),
    addresses: new Map<string, Found>(),
    agents: new Map<string, Found>(),
  }
  const all: Found = { requests: 0, sent: 0 }
  let from: string | null = null
  return {
    count({ time, status, uri, remote, agent, sent }) {
      const bytes = sent ?? 0
      add(all, bytes)
      from = from === null || time < from ? time : from
      note(found.statuses, String(status), bytes)
      note(found.paths, uri.split('?', 1)[0] ?? '', bytes)
      note(found.addresses, remote, bytes)
      note(found.agents, agent, bytes)
    },
    result: () => ({
      ...all,
      from,
      statuses: topOf(found.statuses),
      paths: topOf(found.paths),
      addresses: topOf(found.addresses),
      agents: topOf(found.agents),
    }),
  }
}

function add(one: Found, sent: number): void {
  one.requests++
  one.sent += sent
}

function note(found: Map<string, Found>, text: string, sent: number): void {
  const name = text.slice(0, longest)
  const known = found.get(name)
  if (known !== undefined) add(known, sent)
  else if (found.size < mostKept) found.set(name, { requests: 1, sent })
}

function topOf(found: ReadonlyMap<string, Found>): TopList {
  return [...found]
    .toSorted(([, one], [, other]) => other.requests - one.requests)
    .slice(0, mostShown)
    .map(([name, counts]) => ({ name, ...counts }))
}
