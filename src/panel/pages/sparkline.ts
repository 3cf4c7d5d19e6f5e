/** A row of figures as the points of an SVG line; the template draws it. */

export interface Sparkline {
  /** Empty when there are fewer than two figures. */
  readonly line: string
  readonly area: string
  readonly width: number
  readonly height: number
  readonly label: string
}

/** Evenly spaced, oldest first; `top` is the least value that reaches the upper edge. */
export function sparkline(values: readonly number[], { top, label }: { top: number; label: string }): Sparkline {
  const width = 240
  const height = 36
  const highest = Math.max(top, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map((value, at) => {
    const y = height - 1 - (Math.max(0, value) / (highest || 1)) * (height - 2)
    return `${(at * step).toFixed(1)},${y.toFixed(1)}`
  })
  const line = points.length < 2 ? '' : points.join(' ')
  return { line, area: line === '' ? '' : `0,${height} ${line} ${width},${height}`, width, height, label }
}
