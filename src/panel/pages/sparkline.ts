/** Figures over time as the points of an SVG line, with what its edges stand for; the template draws it. */

export interface Sparkline {
  /** Empty when there are fewer than two figures. */
  readonly line: string
  readonly area: string
  readonly width: number
  readonly height: number
  /** What it shows, in words: where it began, how low and how high it was, and where it is. */
  readonly label: string
  /** What the upper edge stands for; the lower one is nothing. */
  readonly top: string
  /** How long ago the first figure was. */
  readonly from: string
}

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly value: number
}

export interface SparklineWords {
  readonly name: string
  /** `over the last hour`, `from`, `to`, `now` */
  readonly over: string
  readonly lowest: string
  readonly highest: string
  readonly now: string
  value(value: number): string
  span(seconds: number): string
}

const width = 240
const height = 36

/** @param points oldest first @param top the least value that reaches the upper edge */
export function sparkline(points: readonly Point[], top: number, words: SparklineWords): Sparkline {
  const values = points.map(({ value }) => Math.max(0, value))
  const [first, last] = [points.at(0), points.at(-1)]
  const highest = Math.max(top, ...values) || 1
  const span = Math.max(1, (last?.at ?? 0) - (first?.at ?? 0))
  const dots = points.map(({ at }, place) => {
    const x = ((at - (first?.at ?? 0)) / span) * width
    const y = height - 1 - ((values[place] ?? 0) / highest) * (height - 2)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const line = dots.length < 2 ? '' : dots.join(' ')
  const { name, over, value } = words
  const range = `${words.lowest} ${value(Math.min(...values))}, ${words.highest} ${value(Math.max(...values))}`
  return {
    line,
    area: line === '' ? '' : `0,${height} ${line} ${width},${height}`,
    width,
    height,
    label: line === '' ? '' : `${name} ${over}: ${range}, ${words.now} ${value(values.at(-1) ?? 0)}`,
    top: value(highest),
    from: words.span(span / 1000),
  }
}
