/** What a bench is: a few figures, each with the limit it must keep. */

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: 'ms' | 's' | 'MB' | 'count' | 'ratio' | 'per second'
  /** The limit: `<= 60`, `>= 30`; null for a figure that is only shown beside another. */
  readonly target: `${'<=' | '>='} ${number}` | null
}

export interface BenchOptions {
  /** Existing tenants at the largest stage of what grows. */
  readonly sites: number
}

export interface Bench {
  readonly name: string
  readonly summary: string
  /** Absolute paths of programs; without them nothing is begun. */
  readonly needs?: readonly string[]
  /** Left out where no bench is named: it needs more than this machine, or builds the product anew. */
  readonly isOnlyByName?: true
  run(options: BenchOptions): Promise<readonly Figure[]>
}

export function isMet({ value, target }: Figure): boolean {
  if (target === null) return true
  const [sign, limit] = target.split(' ')
  return sign === '<=' ? value <= Number(limit) : value >= Number(limit)
}

/** The p-th percentile (nearest rank) of some samples. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)
  return sorted[at] ?? Number.NaN
}

/** Milliseconds that one call takes. */
export async function timed(call: () => unknown): Promise<number> {
  const started = performance.now()
  await call()
  return performance.now() - started
}

/** What is under way, for whoever waits; figures alone go to the standard output. */
export function progress(text: string): void {
  console.error(`  ${new Date().toISOString().slice(11, 19)} ${text}`)
}
