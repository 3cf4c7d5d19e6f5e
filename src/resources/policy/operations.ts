/** Policies: what a role asks of who holds it. */
import { z } from 'zod'
import { defineOperation } from '../context.ts'
import { conflict, notFound } from '../refusals.ts'
import { Policy, RoleRef, SecondFactorRule } from './schema.ts'

export const list = defineOperation({
  name: 'policy.list',
  summary: 'List what each role must show to sign in',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /policies',
  positional: [],
  columns: ['role', 'secondFactor'],
  input: () => z.strictObject({}),
  output: () => z.strictObject({ items: z.array(Policy), nextCursor: z.null() }),
  run: async ({ loginPolicies }) => ({ items: await loginPolicies.list(), nextCursor: null }),
})

export const update = defineOperation({
  name: 'policy.update',
  summary: 'Change what a role must show to sign in',
  description:
    'Holds from the next request on: who has no second factor yet is led to set one up, and can do nothing before.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'PATCH /policies/{role}',
  positional: ['role'],
  input: () =>
    z.strictObject({
      role: RoleRef,
      secondFactor: SecondFactorRule.describe(
        'optional, required of everybody with this role, or a client certificate required of them',
      ),
    }),
  output: () => Policy,
  async run({ loginPolicies, hasCertificatePort }, { role, secondFactor }) {
    if (secondFactor === 'certificate' && !hasCertificatePort)
      conflict(
        `ask for certificates of "${role}"`,
        'there is no port that asks for one',
        'Set "certificate_port" in the configuration.',
      )
    if (!(await loginPolicies.set(role, secondFactor))) notFound('role', role)
    return { role, secondFactor }
  },
})
