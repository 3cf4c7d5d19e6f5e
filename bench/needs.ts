/** Programs that a bench runs beside the product. */
import { existsSync } from 'node:fs'
import type { Bench } from './bench.ts'

export const ofServer = ['/usr/sbin/nginx', '/usr/bin/bwrap'] as const
export const ofVisitors = [...ofServer, '/usr/bin/wrk'] as const

/** One sentence for each that is not there, known before the first bench starts. */
export function missing(benches: readonly Pick<Bench, 'name' | 'needs'>[]): readonly string[] {
  const programs = new Set(benches.flatMap(({ needs = [] }) => needs))
  return [...programs]
    .filter((program) => !existsSync(program))
    .map((program) => {
      const names = benches.filter(({ needs = [] }) => needs.includes(program)).map(({ name }) => name)
      return `${program} is missing, which these need: ${names.join(', ')}`
    })
}
