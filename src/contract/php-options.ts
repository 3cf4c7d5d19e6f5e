/** What an owner chooses for the PHP of a site: a missing key is PHP's own, and no value can hold another directive. */
import { z } from 'zod'
import { maxBodyMb, maxRequestSeconds } from './request-bounds.ts'

/** PHP itself needs less; below this no application of today starts. */
export const leastMemoryMb = 32
export const mostMemoryMb = 8192
export const leastInputVars = 100
export const mostInputVars = 100_000

/** A name of the zone database, such as `Europe/Vienna`; PHP says whether it has it. */
export const Timezone = z
  .string()
  .max(60, { error: 'at most 60 characters' })
  .regex(/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/, {
    error: 'a time zone such as Europe/Vienna or UTC',
  })
export type Timezone = z.infer<typeof Timezone>

/** Which messages PHP writes and shows, each more than the one before, as the number that PHP takes. */
export const errorLevels = { errors: 4437, warnings: 5111, notices: 6143, all: 32_767 } as const
export const ErrorLevel = z.enum(Object.keys(errorLevels) as (keyof typeof errorLevels)[], {
  error: 'errors, warnings, notices or all',
})
export type ErrorLevel = z.infer<typeof ErrorLevel>

function whole(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

export const PhpMemoryMb = whole(leastMemoryMb, mostMemoryMb)
export const PhpUploadMb = whole(1, maxBodyMb)
export const PhpSeconds = whole(1, maxRequestSeconds)
export const PhpInputVars = whole(leastInputVars, mostInputVars)

export const PhpOptions = z
  .strictObject({
    memoryMb: PhpMemoryMb.exactOptional(),
    /** The largest file, and the largest form with files in it. */
    uploadMb: PhpUploadMb.exactOptional(),
    /** Of a script, without what it waits for. */
    seconds: PhpSeconds.exactOptional(),
    inputVars: PhpInputVars.exactOptional(),
    timezone: Timezone.exactOptional(),
    /** Visitors see them. */
    showsErrors: z.literal(true).exactOptional(),
    errorLevel: ErrorLevel.exactOptional(),
    /** Scripts are compiled anew for each request. */
    withoutOpcache: z.literal(true).exactOptional(),
    jit: z.literal(true).exactOptional(),
    /** Kept in a directory of the site, not with those of the tenant's other sites. */
    ownSessions: z.literal(true).exactOptional(),
  })
  .refine(({ jit, withoutOpcache }) => !(jit && withoutOpcache), {
    error: 'JIT only with opcache: it compiles what opcache keeps',
    path: ['jit'],
  })
export type PhpOptions = z.infer<typeof PhpOptions>
