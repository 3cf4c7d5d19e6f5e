/**
 * `npm run test:mutation`: changes the core one small accident at a time, as the compiler would let it pass, and runs the
 * tests that look at it until one fails. Goes on where an earlier run ended; `--write` puts the table into the docs.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Part, parts } from './areas.ts'
import { BenchTree } from './bench-tree.ts'
import { Compiler } from './compiler.ts'
import { type Mutant, mutantsOf, mutated, withoutComments } from './mutants.ts'
import { harmless, type Result, Results, rowsIn, rowsOf, survivors, table } from './results.ts'
import { reasonOf } from './without-effect.ts'

const repository = resolve(import.meta.dirname, '../..')

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Every change of each source, and not a sample. */
    all: { type: 'boolean', default: false },
    'per-file': { type: 'string', default: '10' },
    /** Another seed gives another sample. */
    seed: { type: 'string', default: '1' },
    /** Those that nothing noticed are tried again: there are new tests. */
    again: { type: 'boolean', default: false },
    /** Only test files beside the code: what they leave may be noticed by the others. */
    quick: { type: 'boolean', default: false },
    /** Also the test files that take minutes. */
    slow: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Nothing is run: what is known is told. */
    known: { type: 'boolean', default: false },
  },
})

interface Sampled extends Mutant {
  readonly key: string
  readonly text: string
}

const started = Date.now()
const caught = new Map<string, number>()
/** There is nothing to change in them, or the compiler refuses all of it. */
const unchangeable = new Set<string>()
setPriority(19)
const results = new Results(join(repository, 'node_modules/.cache/mutation.json'))
const chosen = parts
  .map(toBeRun)
  .filter(({ source }) => positionals.length === 0 || positionals.some((part) => source.includes(part)))
const outcome = await outcomeOf(chosen)
const told = chosen.map(({ source }) => source)
console.log(`\n${table(rowsOf(outcome, told, unchangeable))}\n\n${survivors(outcome)}\n\n${minutes()} min`)
const pageFile = join(repository, 'docs/mutation.md')
if (options.write) writeFileSync(pageFile, page(outcome, readFileSync(pageFile, 'utf8')))

async function outcomeOf(wanted: readonly Part[]): Promise<readonly Result[]> {
  using compiler = new Compiler(repository)
  await using tree = new BenchTree(repository)
  const limits = new Map<string, number | null>()
  const outcome: Result[] = []
  for (const part of wanted.filter(({ tests }) => tests.length > 0)) {
    const sample = sampleOf(part.source, compiler)
    if (sample.length === 0 && !options.known) unchangeable.add(part.source)
    for (const mutant of sample) {
      const known = results.of(mutant.key)
      const isDone = known !== undefined && !(options.again && known.noticed === null && reasonOf(known) === undefined)
      if (!isDone && options.known) continue
      const { line, change } = mutant
      const result = isDone ? { ...known, line, change } : await tried(part, mutant, tree, limits)
      if (!isDone) results.keep(mutant.key, result)
      outcome.push(result)
    }
  }
  return outcome
}

function toBeRun({ source, tests: usual, slow = [] }: Part): Part {
  const tests = options.slow ? [...usual, ...slow] : usual
  return { source, tests: options.quick ? tests.filter((test) => test.startsWith('src/')) : tests }
}

/** Always the same ones for a seed, as long as the source is the same but for its comments. */
function sampleOf(source: string, compiler: Compiler): readonly Sampled[] {
  const file = compiler.parsed(source)
  const every = mutantsOf(file).map((mutant) => {
    const text = mutated(file.text, mutant)
    return { ...mutant, text, key: digest(source, withoutComments(text)) }
  })
  const order = every.toSorted((a, b) => (digest(options.seed, a.key) < digest(options.seed, b.key) ? -1 : 1))
  const sample: Sampled[] = []
  const most = options.all ? order.length : Number(options['per-file'])
  for (const one of order) {
    if (sample.length === most) break
    if (results.of(one.key) || (!options.known && compiler.takes(source, one.text))) sample.push(one)
  }
  return sample.toSorted((a, b) => a.start - b.start)
}

async function tried(
  { source, tests }: Part,
  { line, change, text }: Sampled,
  tree: BenchTree,
  limits: Map<string, number | null>,
): Promise<Result> {
  const before = tree.read(source)
  let ran = 0
  for (const test of keenFirst(tests)) {
    if (!limits.has(test)) limits.set(test, await limitOf(test, tree))
    const limit = limits.get(test)
    if (!limit) continue
    ran++
    tree.write(source, text)
    const noticed = await tree.run(test, limit)
    tree.write(source, before)
    if (noticed === null) continue
    caught.set(test, (caught.get(test) ?? 0) + 1)
    console.log(`${minutes()} noticed  ${source}:${line} ${change}\n      by ${noticed.slice(0, 160)}`)
    return { source, line, change, noticed }
  }
  if (ran === 0) throw new Error(`Cannot judge ${source}: no test file that looks at it passes by itself`)
  console.log(`${minutes()} SURVIVED ${source}:${line} ${change}`)
  return { source, line, change, noticed: null }
}

/** Those that caught most of what was tried before: one that fails early spares the rest. */
function keenFirst(tests: readonly string[]): readonly string[] {
  return tests.toSorted((a, b) => (caught.get(b) ?? 0) - (caught.get(a) ?? 0))
}

/** For how long the test file may run; null when it fails by itself. */
async function limitOf(test: string, tree: BenchTree): Promise<number | null> {
  const begun = Date.now()
  const failed = await tree.run(test, 600_000)
  const tookMs = Date.now() - begun
  console.log(`${minutes()} ${failed === null ? `${(tookMs / 1000).toFixed(1)} s for ${test}` : `LEFT OUT ${failed}`}`)
  return failed === null ? 30_000 + 3 * tookMs : null
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}

function minutes(): string {
  return ((Date.now() - started) / 60_000).toFixed(1).padStart(5)
}

/** @param before the page as it is: what this run says nothing of stays as it stands there */
function page(outcome: readonly Result[], before: string): string {
  const sources = parts.map(({ source }) => source)
  const most = options.all
    ? 'Every change was tried.'
    : `At most ${options['per-file']} changes of each source were tried, chosen by seed ${options.seed}.`
  const quick = options.quick ? ' Only test files beside the code were run: the others may notice more.' : ''
  const known = new Set(outcome.map(({ source }) => source))
  const [, missedBefore = '', harmlessBefore = ''] = before.split(/^## .*$/m)
  const merged = (now: string, earlier: string) => {
    const isKept = (line: string) => !known.has(/^- `([^:`]+):/.exec(line)?.[1] ?? '')
    const lines = [...now.split('\n'), ...earlier.split('\n').filter(isKept)].filter((line) => line.startsWith('- '))
    const placeOf = (line: string) => sources.findIndex((source) => line.startsWith(`- \`${source}:`))
    return lines.toSorted((a, b) => placeOf(a) - placeOf(b)).join('\n') || 'None.'
  }
  return `# Accidents that the tests notice

Small accidental changes to the core (a dropped statement, a turned condition, a moved bound, a lost entry), one at a time, and whether a test fails. Changes that the compiler refuses are not counted. Written by \`npm run test:mutation -- --write\`; not part of CI. ${most}${quick} Wanted are 85 % of each source.

${table(rowsOf(outcome, sources, unchangeable, rowsIn(before)))}

## Not noticed

Each of these wants a test, or a reason in \`test/mutation/without-effect.ts\`.

${merged(survivors(outcome), missedBefore)}

## Without effect

These change nothing that anybody could see, and do not count.

${merged(harmless(outcome), harmlessBefore)}
`
}
