/** The second factor that a role requires. */
import type { Section } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import { defineKind, wordsOf } from '../kind.ts'
import * as operations from './operations.ts'
import type { Policy } from './schema.ts'
import { policyStore } from './store.ts'

export const policy = defineKind({
  name: 'policy',
  words: {
    one: 'policy',
    many: 'Signing in',
    role: 'Role',
    secondFactor: 'Second factor',
    rules: { optional: 'may have one', required: 'must have one', certificate: 'must be a certificate' },
  },
  path: '/settings',
  stores: { loginPolicies: policyStore },
  operations,
})

export function policySection(t: Texts, policies: readonly Policy[], mayChange: boolean): Section {
  const names: Readonly<Record<string, string>> = t.roles
  const words = wordsOf(t, policy)
  return {
    title: words.many,
    table: {
      caption: words.many,
      columns: [
        { title: words.role },
        { title: words.secondFactor },
        { title: t.settings.change, hidden: true, number: true },
      ],
      rows: policies.map(({ role, secondFactor }) => [
        { text: names[role] ?? role },
        { text: words.rules[secondFactor] },
        mayChange
          ? {
              text: t.settings.change,
              href: `/do/policy.update?role=${encodeURIComponent(role)}`,
              label: names[role] ?? role,
            }
          : { text: '' },
      ]),
    },
  }
}
