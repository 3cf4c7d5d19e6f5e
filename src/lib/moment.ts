/** A day or a moment as people write it, as the moment that it begins. */
import { z } from 'zod'

/** A day, or a moment in UTC; a day is its beginning. */
export const Moment = z
  .union([z.iso.date(), z.iso.datetime()], {
    error: 'a day such as 2026-11-21, or a moment such as 2026-11-21T13:00:00Z',
  })
  .transform((text) => new Date(text).toISOString())
