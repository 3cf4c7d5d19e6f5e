/** The last hour of the machine's figures, for the small graphs: memory only, gone with the process. */
import type { HealthSnapshot } from '../../contract/wire.ts'
import type { Point } from './sparkline.ts'

const spanMs = 3_600_000
/** Two looks at once need not both count. */
const closestMs = 10_000

export class HealthHistory {
  #points: { at: number; load: number; memory: number; pressure: number }[] = []

  add({ at, load, memory, pressure }: HealthSnapshot): void {
    const moment = Date.parse(at)
    const last = this.#points.at(-1)
    if (last !== undefined && moment - last.at < closestMs) return
    this.#points = this.#points.filter((point) => point.at > moment - spanMs)
    this.#points.push({
      at: moment,
      load: load[0],
      memory: 1 - memory.available / memory.total,
      pressure: pressure === null ? 0 : Math.max(pressure.cpu, pressure.memorySome, pressure.ioSome),
    })
  }

  get load(): Point[] {
    return this.#points.map(({ at, load }) => ({ at, value: load }))
  }
  get memory(): Point[] {
    return this.#points.map(({ at, memory }) => ({ at, value: memory * 100 }))
  }
  get pressure(): Point[] {
    return this.#points.map(({ at, pressure }) => ({ at, value: pressure }))
  }
}
