/**
 * Power cuts, 3 in the sample and 50 in the whole run: `node test/faults/power-main.ts [--cuts N] [--seed N] [--progress FILE]`.
 *
 * Each round of cuts is a line of the progress file. A run that was ended goes on after the last line; a server that broke a
 * promise is thrown away, with what it knew kept beside the progress file, and the next round has a new one.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CutServer, type Round } from './power-cuts.ts'
import { seed as commitSeed, isWhole, row } from './rows.ts'

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: isWhole ? '50' : '3' },
    seed: { type: 'string' },
    progress: {
      type: 'string',
      default: join(tmpdir(), `wcp-power-cuts-${isWhole ? 'all' : process.pid}-${commitSeed}.jsonl`),
    },
  },
})
const done = existsSync(values.progress) ? lines(values.progress) : []
const seed = Number(values.seed ?? done[0]?.seed ?? commitSeed)
const wanted = Number(values.cuts)
console.log(`seed ${seed}; ${made(done)} of ${wanted} cuts were made before; progress in ${values.progress}`)

let server: CutServer | undefined
try {
  while (made(done) < wanted) {
    server ??= await CutServer.start()
    const { evidence, ...round } = await server.cut(done.length + 1, seed, wanted - made(done))
    done.push(round)
    appendFileSync(values.progress, `${JSON.stringify(round)}\n`)
    console.log(shown(round))
    if (evidence === undefined) continue
    writeFileSync(`${values.progress}.${round.number}.evidence.json`, JSON.stringify(evidence, null, 2))
    await server[Symbol.asyncDispose]()
    server = undefined
  }
} finally {
  await server?.[Symbol.asyncDispose]()
}
const broken = done.filter(({ findings }) => findings.length > 0)
const words = broken.flatMap(({ findings }) => findings)
row({
  fault: 'power',
  name: `cuts at random moments of a mixed load, seed ${seed}`,
  cases: made(done),
  failed: broken.length,
  outcome: words[0] ?? 'no acknowledged job lost, no file torn, both sides and the machine agree',
})
console.log(`${made(done)} cuts in ${done.length} rounds, ${broken.length} with findings, seed ${seed}`)
process.exitCode = broken.length === 0 ? 0 : 1

function lines(file: string): Round[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

function made(rounds: readonly Round[]): number {
  return rounds.reduce((sum, { cuts }) => sum + cuts.length, 0)
}

function shown({ number, cuts, acknowledged, refused, unknown, resumed, seconds, findings }: Round): string {
  const moments = cuts.map(({ afterMs, inFlight }) => `${afterMs} ms (${inFlight} in flight)`).join(', ')
  const words = `round ${number}: ${cuts.length} cuts after ${moments}; ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown, ${resumed} resumed; ${seconds} s`
  return [words, ...findings.map((finding) => `    ${finding}`)].join('\n')
}
