/** Reads all files of the root side's audit log and finds what was changed in them, moved, or taken out. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { AuditHead, MirrorReport, TrailEnd } from '../../contract/wire.ts'
import { type AuditLine, follows, isSealed, type LineEnd, noLine, noTrail, readLine } from './audit-line.ts'
import { type AuditLogOptions, auditFiles, endAfter } from './audit-log.ts'
import { readKeptHead } from './kept-head.ts'

const mostProblems = 100
const mostCheckpoints = 1000

type Problem = MirrorReport['problems'][number]

export interface LogVerdict extends Omit<MirrorReport, 'head' | 'appendOnly'> {
  /** Number of the last line. */
  readonly last: number
}

/** @param head where the log ended once, by its writer's word or as it was kept elsewhere: it must still hold that. */
export async function verifyAuditLog(
  { path, headPath, key }: Pick<AuditLogOptions, 'path' | 'headPath' | 'key'>,
  head: AuditHead | null,
): Promise<LogVerdict> {
  // Before the lines: what is added while we read comes after it.
  const kept = readKeptHead(headPath, key)
  const problems: Problem[] = []
  const report = (line: number, problem: Problem['problem'], message: string) => {
    if (problems.length < mostProblems) problems.push({ line, problem, message })
  }
  const points = checkpoints()
  let last: LineEnd | undefined
  let from = 0
  let lines = 0
  let end: TrailEnd = noTrail
  for await (const text of allLines(auditFiles(path))) {
    const read = readLine(text)
    if (read === undefined) continue // torn: when it was a whole line once, its number is missing
    const { line, body, mac } = read
    if (last === undefined && 'opened' in line) last = line.opened.previous
    const before = last ?? noLine
    if (line.seq <= before.seq) report(line.seq, 'moved', `line ${line.seq} stands behind line ${before.seq}`)
    else if (line.seq > before.seq + 1) report(before.seq + 1, 'missing', missing(before.seq + 1, line.seq - 1))
    else if (!follows(key, before, body, mac)) report(line.seq, 'changed', `line ${line.seq} is not as it was written`)
    if (line.seq === head?.seq && mac !== head.mac) report(line.seq, 'head', `line ${line.seq} differs from the head`)
    if (isFork(line)) report(line.seq, 'forked', forkMessage(line, end))
    if (isFork(line)) points.backTo(line.agent.sequence)
    const after = endAfter(end, line)
    if (after !== end && !('opened' in line)) points.add(after)
    from ||= line.seq
    lines++
    end = isFork(line) ? { sequence: line.agent.sequence, checksum: line.agent.checksum } : after
    last = { seq: line.seq, mac }
  }
  const reached = last?.seq ?? 0
  const isGenuine = head === null || isSealed(key, head)
  if (!isGenuine) report(reached, 'head', 'the head was not made with the key of this machine')
  if (kept === undefined) report(reached, 'head', 'the kept end of the log is missing or not as it was written')
  const wanted = Math.max(isGenuine ? (head?.seq ?? 0) : 0, kept?.last.seq ?? 0)
  if (reached < wanted) report(wanted, 'truncated', `the log ends at line ${reached} and not at line ${wanted}`)
  return { ok: problems.length === 0, lines, from, last: reached, end, checkpoints: points.all(), problems }
}

async function* allLines(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files)
    yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

interface Fork {
  readonly seq: number
  readonly agent: { readonly event: string; readonly sequence: number; readonly checksum: string }
}

function isFork(line: AuditLine): line is AuditLine & Fork {
  return 'agent' in line && line.agent.event === 'trail.forked'
}

function forkMessage({ seq, agent }: Fork, end: TrailEnd): string {
  return `at line ${seq} the panel's trail went back from entry ${end.sequence} to entry ${agent.sequence}: it was put back or rewritten`
}

function missing(first: number, last: number): string {
  return first === last ? `line ${first} is missing` : `lines ${first} to ${last} are missing`
}

/** So many entries of the trail as a message holds, evenly spread, and the last one. */
function checkpoints() {
  let kept: TrailEnd[] = []
  let last: TrailEnd | undefined
  let step = 1
  return {
    add(entry: TrailEnd): void {
      last = entry
      if (entry.sequence % step !== 0) return
      kept.push(entry)
      if (kept.length < mostCheckpoints - 1) return
      step *= 2
      kept = kept.filter(({ sequence }) => sequence % step === 0)
    },
    /** Entries after it are of a trail that is no more. */
    backTo(sequence: number): void {
      kept = kept.filter((entry) => entry.sequence <= sequence)
      last = kept.at(-1)
    },
    all(): TrailEnd[] {
      return last === undefined || kept.at(-1)?.sequence === last.sequence ? kept : [...kept, last]
    },
  }
}
