/** The lines of the table that `npm run test:faults` prints: each group appends its own to one file, the runner prints them. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const Row = z.strictObject({
  /** `F07`, `crash tenant.create`, `EIO tenant.create`, `power`: rows of the same name are added up. */
  fault: z.string().min(1),
  /** What was done to the product, in a few words. */
  name: z.string().min(1),
  /** How often it was tried. */
  cases: z.int().min(0),
  /** Of these, how often the product did not hold. */
  failed: z.int().min(0),
  /** What was seen, in one sentence; of failures what they were. */
  outcome: z.string(),
})
export type Row = z.infer<typeof Row>

/** Where `run.ts` collects; without it a row is printed, so that one file can be run on its own. */
const file = process.env.WCP_FAULT_ROWS

/** True in the whole run (`npm run test:faults -- --all`), false for the sample that CI runs. */
export const isWhole = process.env.WCP_FAULTS === 'all'

/** A number that changes by commit: what a sample is chosen by. */
export const seed = Number.parseInt((process.env.WCP_FAULT_SEED ?? '').slice(0, 8), 16) || 1

export function row(made: Row): void {
  const line = JSON.stringify(Row.parse(made))
  if (file === undefined) console.log(line)
  else appendFileSync(file, `${line}\n`)
}

/** For a test file: reports the row of its fault by how the work went, and lets its error through. */
export async function asRow<T>(fault: string, name: string, outcome: string, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    row({ fault, name, cases: 1, failed: 0, outcome })
    return result
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    row({ fault, name, cases: 1, failed: 1, outcome: said.split('\n', 1)[0] ?? '' })
    throw error
  }
}

/** Rows of the same fault and name as one, in the order they came; all outcomes of failures are kept. */
export function readRows(path: string): readonly Row[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  const sums = new Map<string, Row>()
  for (const one of lines.map((line) => Row.parse(JSON.parse(line)))) {
    const key = `${one.fault}\n${one.name}`
    const before = sums.get(key)
    sums.set(key, before === undefined ? one : sum(before, one))
  }
  return [...sums.values()]
}

function sum(a: Row, b: Row): Row {
  const outcome = a.outcome === b.outcome || (a.failed > 0 && b.failed === 0) ? a.outcome : b.outcome
  return { ...a, cases: a.cases + b.cases, failed: a.failed + b.failed, outcome }
}
