import { z } from 'zod'

/** As `Line`, but kept as it is: spaces at its ends are part of a word. */
const Word = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u, { error: 'words without control characters' })

const mostBytes = 4096

/**
 * The argv of a tenant's own command. It becomes the arguments of a process with the tenant's uid in the tenant's sandbox,
 * and nothing else: `runAs` is the only function that takes it (docs/0021-tenant-commands.md). Its first word is a program,
 * not an assignment of env(1).
 */
export const TenantCommand = z
  .array(Word, { error: 'a program and its arguments' })
  .min(1, { error: 'a program and its arguments' })
  .max(100, { error: 'at most 100 words' })
  .refine(([program = '']) => program !== '' && !program.includes('='), { error: 'the name of a program first' })
  .refine((words) => words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0) <= mostBytes, {
    error: `at most ${mostBytes} bytes together`,
  })
  .brand<'TenantCommand'>()
export type TenantCommand = z.infer<typeof TenantCommand>
