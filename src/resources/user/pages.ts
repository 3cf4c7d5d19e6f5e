/** Users as people see them. */
import { type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { User } from './schema.ts'

export function userTable(t: Texts, users: readonly User[]): Table {
  return {
    caption: t.users.title,
    columns: [
      { title: label(t, 'email') },
      { title: label(t, 'status') },
      { title: label(t, 'role'), wide: true },
      { title: label(t, 'tenant') },
      { title: label(t, 'createdAt'), wide: true },
    ],
    rows: users.map((user) => [
      { text: user.email, href: `/users/${user.id}` },
      { badge: statusBadge(user.status) },
      { text: roleName(t, user.role) },
      user.tenantName === null ? { text: '–' } : { text: user.tenantName, href: `/tenants/${user.tenantName}` },
      { time: user.createdAt },
    ]),
  }
}

export function userFacts(t: Texts, user: User): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'role'), text: roleName(t, user.role) },
      {
        title: label(t, 'tenant'),
        ...(user.tenantName === null ? { text: '–' } : { text: user.tenantName, href: `/tenants/${user.tenantName}` }),
      },
      { title: label(t, 'createdAt'), time: user.createdAt },
      ...(user.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: user.deletedAt }]),
      { title: label(t, 'id'), code: user.id },
    ],
  }
}

function roleName(t: Texts, role: string): string {
  const words: Readonly<Record<string, string>> = t.roles
  return words[role] ?? role
}
