/** Permissions under a name, and how far they reach. */
import type { Section } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { isOfBilling, isOfSites, isReading } from '../presets.ts'
import * as operations from './operations.ts'
import { Role } from './schema.ts'
import { roleStore } from './store.ts'

const words = {
  one: 'role',
  many: 'Roles',
  lede: 'Permissions under a name, and how far they reach.',
  add: 'New role',
  none: 'No roles',
  noneText: 'A role is a set of permissions that users are given.',
  builtIn: 'comes with the product',
  presets: { reading: 'Look at everything', sites: 'Run sites', billing: 'Billing' },
}

export const role = defineKind({
  name: 'role',
  words,
  path: '/roles',
  menu: { group: 'settings', icon: 'role' },
  item: Role,
  reference: { key: 'name', fields: ['role'], title: ({ name }, t) => roleTitle(t, name) },
  columns: ({ t, words }) => [
    {
      title: label(t, 'name'),
      cell: ({ name, isBuiltIn }) => ({
        text: roleTitle(t, name),
        href: `/roles/${name}`,
        ...(isBuiltIn && { sub: words.builtIn }),
      }),
    },
    { title: label(t, 'scope'), cell: ({ scope }) => ({ text: t.scopes[scope] }) },
    { title: t.kinds.user?.many ?? '', number: true, cell: ({ users }) => ({ text: users }) },
    {
      title: label(t, 'permissions'),
      number: true,
      wide: true,
      cell: ({ holdsAll, permissions }) => ({ text: holdsAll ? t.account.all : permissions.length }),
    },
  ],
  detail: {
    ref: ({ name }) => name,
    page: async (one, { t, words }) => ({
      title: roleTitle(t, one.name),
      isFixed: one.isBuiltIn,
      sections: [permissionSection(t, one), { ...roleFacts(t, one, words), isAside: true }],
    }),
  },
  presets: {
    permissions: [
      { title: ({ presets }) => presets.reading, has: isReading },
      { title: ({ presets }) => presets.sites, has: isOfSites },
      { title: ({ presets }) => presets.billing, has: isOfBilling },
    ],
  },
  stores: { roles: roleStore },
  purge: async ({ roles }, moment) => ({ jobs: 0, rows: await roles.purgeDeletedBefore(moment) }),
  operations,
})

function roleFacts(t: Texts, one: Role, { builtIn }: typeof words): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'scope'), text: t.scopes[one.scope] },
      { title: t.kinds.user?.many ?? '', text: one.users, href: `/users?role=${one.name}` },
      ...(one.isBuiltIn ? [{ title: label(t, 'isBuiltIn'), text: builtIn }] : []),
      { title: label(t, 'createdAt'), time: one.createdAt },
      ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

/** Each permission in a sentence, beside the name that programs use. */
export function permissionSection(t: Texts, one: Pick<Role, 'holdsAll' | 'permissions'>): Section {
  const title = label(t, 'permissions')
  if (one.holdsAll) return { title, facts: [{ title: t.account.all, text: t.holdsAll }] }
  const rows = one.permissions.map((name) => [{ text: t.rights[name] ?? name }, { code: name }])
  return { title, table: { caption: title, columns: [{ title }, { title: label(t, 'name'), wide: true }], rows } }
}

/** A role of the product in words, any other by its name. */
export function roleTitle(t: Texts, name: string): string {
  const words: Readonly<Record<string, string>> = t.roles
  return words[name] ?? name
}
