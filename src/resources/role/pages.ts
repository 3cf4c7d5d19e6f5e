/** Roles as people see them. */
import type { Section, Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Role } from './schema.ts'

export function roleTable(t: Texts, roles: readonly Role[]): Table {
  return {
    caption: t.roleList.title,
    columns: [
      { title: label(t, 'name') },
      { title: label(t, 'scope') },
      { title: t.nav.users, number: true },
      { title: label(t, 'permissions'), number: true, wide: true },
    ],
    rows: roles.map((role) => [
      {
        text: roleTitle(t, role.name),
        href: `/roles/${role.name}`,
        ...(role.isBuiltIn && { sub: t.roleList.builtIn }),
      },
      { text: t.scopes[role.scope] },
      { text: role.users },
      { text: role.holdsAll ? t.account.all : role.permissions.length },
    ]),
  }
}

export function roleFacts(t: Texts, role: Role): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'scope'), text: t.scopes[role.scope] },
      { title: t.nav.users, text: role.users, href: `/users?role=${role.name}` },
      ...(role.isBuiltIn ? [{ title: label(t, 'isBuiltIn'), text: t.roleList.builtIn }] : []),
      { title: label(t, 'createdAt'), time: role.createdAt },
      ...(role.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: role.deletedAt }]),
      { title: label(t, 'id'), code: role.id },
    ],
  }
}

/** One line for each kind of thing: `domain` – `create, delete`. */
export function permissionFacts(t: Texts, role: Pick<Role, 'holdsAll' | 'permissions'>): Section {
  const kinds: Readonly<Record<string, string>> = t.kinds
  const byKind = Map.groupBy(role.permissions, (name) => name.slice(0, name.indexOf('.')))
  const facts = [...byKind].map(([kind, names]) => ({
    title: kinds[kind] ?? kind,
    text: names.map((name) => name.slice(name.indexOf('.') + 1)).join(', '),
  }))
  return {
    title: label(t, 'permissions'),
    facts: role.holdsAll ? [{ title: t.account.all, text: t.roleList.holdsAll }] : facts,
  }
}

/** A role of the product in words, any other by its name. */
export function roleTitle(t: Texts, name: string): string {
  const words: Readonly<Record<string, string>> = t.roles
  return words[name] ?? name
}
