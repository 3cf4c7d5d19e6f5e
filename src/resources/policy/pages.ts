/** Policies as people see them. */
import type { Section } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import type { Policy } from './schema.ts'

export function policySection(t: Texts, policies: readonly Policy[], mayChange: boolean): Section {
  const names: Readonly<Record<string, string>> = t.roles
  return {
    title: t.policies.title,
    table: {
      caption: t.policies.title,
      columns: [
        { title: t.policies.role },
        { title: t.policies.secondFactor },
        { title: t.settings.change, hidden: true, number: true },
      ],
      rows: policies.map(({ role, secondFactor }) => [
        { text: names[role] ?? role },
        { text: t.policies.rules[secondFactor] },
        mayChange
          ? { text: t.settings.change, href: `/do/policy.update?role=${encodeURIComponent(role)}`, label: role }
          : { text: '' },
      ]),
    },
  }
}
