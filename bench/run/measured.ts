import { z } from 'zod'

export const tenant = 'bench'
export const site = 'bench.example.com'

/** Printed on the server; times in milliseconds. */
export const Measured = z.object({
  ours: z.array(z.number()),
  plain: z.array(z.number()),
  /** What keeps the process awake: timers, pipes, children. */
  resourcesBefore: z.int(),
  resourcesAfter: z.int(),
})
export type Measured = z.infer<typeof Measured>
