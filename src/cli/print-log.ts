/** Lines of a site's logs, a line each, and those that come while somebody waits for them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Command } from '../lib/command-spec.ts'
import { httpCall } from '../lib/http-call.ts'
import { type Output, paint, plain, type Row } from '../lib/print.ts'
import { steadyCall, type Waiting } from './steady-call.ts'

/** The fields read of `domain.logs`. */
const Entry = z.looseObject({
  time: z.string(),
  status: z.int().nullable(),
  level: z.string().nullable(),
  remote: z.string(),
  method: z.string(),
  uri: z.string(),
  sent: z.int().nullable(),
  seconds: z.number().nullable(),
  agent: z.string(),
  text: z.string(),
})
type Entry = z.infer<typeof Entry>

const LogPage = z.looseObject({
  items: z.array(Entry),
  nextCursor: z.string().nullable(),
  newest: z.string(),
  isCut: z.boolean(),
  dropped: z.int(),
})

const pollMs = 1000
/** Shown at once when it begins. */
const linesBefore = 10
const mostAtOnce = 200

/** The newest first, as the panel answers. */
export function printLog(output: Output, body: unknown): void {
  const { items, nextCursor, isCut, dropped } = LogPage.parse(body)
  if (items.length === 0) output.err('nothing found\n')
  for (const entry of items) output.out(`${lineOf(output, entry)}\n`)
  tellDropped(output, dropped)
  if (isCut) output.err(paint(output, 'dim', 'only a part of the log was looked through\n'))
  if (nextCursor !== null) output.err(paint(output, 'dim', `more: repeat with --cursor ${nextCursor}\n`))
}

/** The oldest first, for ever: Ctrl-C ends it. */
export async function followLog(operation: Command, input: Row, terminal: Waiting): Promise<never> {
  const { output } = terminal
  const call = steadyCall(terminal, true)
  let { limit = linesBefore, cursor: _, ...asked }: Row & { limit?: unknown } = input
  for (;;) {
    const { body } = await call(httpCall(operation, { ...asked, limit }, false))
    const { items, newest, nextCursor, dropped } = LogPage.parse(body)
    const isMissing = asked.after !== undefined && nextCursor !== null
    if (isMissing) output.err(paint(output, 'dim', `more came than ${mostAtOnce} lines: some are not shown\n`))
    for (const entry of items.toReversed()) output.out(`${lineOf(output, entry)}\n`)
    tellDropped(output, dropped)
    asked = { ...asked, after: newest }
    limit = mostAtOnce
    await sleep(pollMs)
  }
}

function tellDropped(output: Output, lines: number): void {
  if (lines > 0)
    output.err(paint(output, 'yellow', `${lines} lines were not written: the tenant's share was used up\n`))
}

function lineOf(output: Output, entry: Entry): string {
  const { time, status, level, remote, method, uri, sent, seconds, agent, text } = entry
  const request = `${method} ${uri}`.trim()
  const words =
    status === null
      ? [time, paint(output, 'red', plain(level ?? '')), remote || '-', plain(text), plain(request)]
      : [
          time,
          paint(output, styleOf(status), String(status)),
          remote,
          plain(request),
          `${sent ?? 0} B`,
          `${seconds ?? 0} s`,
          plain(agent),
        ]
  return words.join('  ').trimEnd()
}

function styleOf(status: number): 'red' | 'yellow' | 'green' {
  return status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green'
}
