/** What can be chosen for PHP of a site: fields of `domain.update`, as people and programs see them, and what they become. */
import { z } from 'zod'
import {
  ErrorLevel,
  leastMemoryMb,
  PhpInputVars,
  PhpMemoryMb,
  PhpOptions,
  PhpSeconds,
  PhpUploadMb,
  Timezone,
} from '../../contract/php-options.ts'
import { maxRequestSeconds } from '../../contract/request-bounds.ts'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { badInput } from '../refusals.ts'

/** Part of `Domain`; null: as PHP has it. */
export const shownPhpOptions = {
  phpMemoryMb: PhpMemoryMb.nullable(),
  phpUploadMb: PhpUploadMb.nullable(),
  phpMaxSeconds: PhpSeconds.nullable(),
  phpInputVars: PhpInputVars.nullable(),
  phpTimezone: Timezone.nullable(),
  /** Visitors see messages of PHP. */
  phpShowErrors: z.boolean(),
  phpErrorLevel: ErrorLevel.nullable(),
  phpOpcache: z.boolean(),
  phpJit: z.boolean(),
  /** Sessions lie in a directory of the site. */
  phpOwnSessions: z.boolean(),
}
export type ShownPhpOptions = {
  readonly [key in keyof typeof shownPhpOptions]: z.output<(typeof shownPhpOptions)[key]>
}

/** What this program knows of; PHP has the last word. */
const KnownTimezone = Timezone.refine(isTimezone, { error: 'a time zone such as Europe/Vienna or UTC' })

/** Part of the input of `domain.update`. */
export const phpOptionsInput = () => ({
  phpMemoryMb: PhpMemoryMb.nullable()
    .optional()
    .describe(
      `Memory that a request to this site may take in PHP, in MB, from ${leastMemoryMb} and within the tenant's; none: as its package has it. A script cannot raise it`,
    ),
  phpUploadMb: PhpUploadMb.nullable()
    .optional()
    .describe('The largest file, and form with files, that PHP takes, in MB; none: 128'),
  phpMaxSeconds: PhpSeconds.nullable()
    .optional()
    .describe(
      `How long a script may work, in seconds, without what it waits for; none: 30. After ${maxRequestSeconds} seconds every request is ended`,
    ),
  phpInputVars: PhpInputVars.nullable().optional().describe('The most fields of a form; none: 1000'),
  phpTimezone: KnownTimezone.nullable().optional().describe('Time zone of PHP, such as Europe/Vienna; none: UTC'),
  phpShowErrors: z.boolean().optional().describe('Visitors see messages of PHP: for a site that is being made'),
  phpErrorLevel: ErrorLevel.nullable()
    .optional()
    .describe('Which messages PHP writes, and shows where it shows any; none: all but those about what is outdated'),
  phpOpcache: z.boolean().optional().describe('Compiled scripts are kept; without, each request compiles them anew'),
  phpJit: z.boolean().optional().describe('Scripts that work much are compiled for the processor (tracing JIT)'),
  phpOwnSessions: z
    .boolean()
    .optional()
    .describe('Sessions lie in the directory "sessions" beside the document root, apart from those of other sites'),
})

export type PhpOptionsWish = { readonly [key in keyof ShownPhpOptions]?: ShownPhpOptions[key] | undefined }

export function shownPhp(options: PhpOptions = {}): ShownPhpOptions {
  return {
    phpMemoryMb: options.memoryMb ?? null,
    phpUploadMb: options.uploadMb ?? null,
    phpMaxSeconds: options.seconds ?? null,
    phpInputVars: options.inputVars ?? null,
    phpTimezone: options.timezone ?? null,
    phpShowErrors: options.showsErrors ?? false,
    phpErrorLevel: options.errorLevel ?? null,
    phpOpcache: !options.withoutOpcache,
    phpJit: options.jit ?? false,
    phpOwnSessions: options.ownSessions ?? false,
  }
}

/** With what is wished; fields that are not given stay. undefined: all is as PHP has it. */
export function withPhpWish(options: PhpOptions | undefined, wish: PhpOptionsWish): PhpOptions | undefined {
  const all = { ...shownPhp(options), ...given(wish) }
  const chosen = {
    memoryMb: all.phpMemoryMb,
    uploadMb: all.phpUploadMb,
    seconds: all.phpMaxSeconds,
    inputVars: all.phpInputVars,
    timezone: all.phpTimezone,
    showsErrors: all.phpShowErrors,
    errorLevel: all.phpErrorLevel,
    withoutOpcache: !all.phpOpcache,
    jit: all.phpJit,
    ownSessions: all.phpOwnSessions,
  }
  const entries = Object.entries(chosen).filter(([, value]) => value !== null && value !== false)
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as PhpOptions) // of its keys
}

/** Refuses what each field alone does not show. */
export async function refuseUnfitPhp(
  context: Context,
  what: string,
  tenantId: Id,
  options: PhpOptions | undefined,
): Promise<void> {
  if (options === undefined) return
  if (!PhpOptions.safeParse(options).success)
    badInput(what, {
      field: 'phpJit',
      problem: 'needs opcache, which keeps what it compiles',
      accepted: 'phpOpcache true, or phpJit false',
    })
  const { packageId } = await context.tenants.get(tenantId)
  const { name, memMb } = await context.packages.get(packageId)
  if (memMb !== null && (options.memoryMb ?? 0) > memMb)
    badInput(what, {
      field: 'phpMemoryMb',
      problem: `${options.memoryMb} MB is more than the tenant has by its package "${name}"`,
      accepted: `${leastMemoryMb} to ${memMb}, or none`,
    })
}

function given(wish: PhpOptionsWish): Partial<ShownPhpOptions> {
  const fields = Object.keys(shownPhpOptions).map((key) => [key, wish[key as keyof PhpOptionsWish]] as const) // its keys
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
