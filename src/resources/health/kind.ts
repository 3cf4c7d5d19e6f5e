/** How the machine is, and what on it differs from what the panel wants. */
import { defineKind } from '../kind.ts'
import { driftCondition, machineConditions } from './conditions.ts'
import { driftFindings, findingStore } from './findings.ts'
import * as operations from './operations.ts'

export const health = defineKind({
  name: 'health',
  words: { one: 'health', many: 'Health' },
  path: '/',
  examples: { repair: { resource: 'web server' }, adopt: { resource: 'web server' } },
  conditions: [...machineConditions, driftCondition],
  stores: { driftFindings: findingStore },
  migrations: [driftFindings],
  operations,
})
