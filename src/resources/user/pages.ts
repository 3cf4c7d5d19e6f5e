/** Users as people see them. */
import { type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { roleTitle } from '../role/pages.ts'
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
      { text: roleNames(t, user.roles) },
      user.tenantName === null ? { text: '–' } : { text: user.tenantName, href: `/tenants/${user.tenantName}` },
      { time: user.createdAt },
    ]),
  }
}

export function userFacts(t: Texts, user: User): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'role'), text: roleNames(t, user.roles) },
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

function roleNames(t: Texts, roles: readonly string[]): string {
  return roles.map((role) => roleTitle(t, role)).join(', ')
}

/** @param revoke where a role is taken away again; null for who may not */
export function userRoles(t: Texts, user: User, revoke: ((role: string) => string) | null): Section {
  const action = { title: t.account.action, hidden: true }
  return {
    title: t.users.roles,
    table: {
      caption: t.users.roles,
      columns: [{ title: label(t, 'role') }, ...(revoke === null ? [] : [action])],
      rows: user.roles.map((role) => [
        { text: roleTitle(t, role) },
        ...(revoke === null ? [] : [{ text: t.verbs.revoke, href: revoke(role), label: role }]),
      ]),
    },
  }
}
