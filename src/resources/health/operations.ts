/** Health: how the machine is, and what on it is not as it should be. */
import { z } from 'zod'
import { DriftReport, HealthSnapshot } from '../../contract/wire.ts'
import { defineOperation } from '../context.ts'

export const get = defineOperation({
  name: 'health.get',
  summary: 'Show load, memory, disks, pressure and services of the machine',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health',
  positional: [],
  input: z.strictObject({}),
  output: HealthSnapshot,
  run: ({ machine }) => machine.health(),
})

export const drift = defineOperation({
  name: 'health.drift',
  summary: 'Show what on the machine differs from what the panel wants',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/drift',
  positional: [],
  columns: ['resource', 'changes'],
  input: z.strictObject({}),
  output: z.strictObject({ items: DriftReport, nextCursor: z.null() }),
  run: async ({ machine }) => ({ items: await machine.drift(), nextCursor: null }),
})
