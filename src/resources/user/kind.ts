/** People who may sign in. */
import type { Section } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { effectiveBadge } from '../effective-status.ts'
import { holdSections, verbsOfHeld } from '../hold/pages.ts'
import { defineKind, type Look } from '../kind.ts'
import { listTab } from '../list-tab.ts'
import { roleTitle } from '../role/kind.ts'
import { factorFacts } from '../totp/kind.ts'
import { TotpState } from '../totp/schema.ts'
import { placeOf } from './guards.ts'
import * as links from './link-operations.ts'
import { linkStore } from './link-store.ts'
import * as operations from './operations.ts'
import { User } from './schema.ts'
import { userStore } from './store.ts'

const words = {
  one: 'user',
  many: 'Users',
  lede: 'People who may sign in.',
  add: 'New user',
  invite: 'Invite somebody',
  resetLink: 'Link to a new password',
  none: 'No users',
  noneText: 'Create a user for each person who may sign in.',
  people: 'People',
  roles: 'Roles',
  grant: 'Grant a role',
}

const peopleTab = listTab<typeof words>({
  kind: 'user',
  slug: 'people',
  order: 10,
  title: ({ words }) => words.people,
  input: ({ ref }) => ({ tenant: ref }),
})

export const user = defineKind({
  name: 'user',
  words,
  path: '/users',
  menu: { group: 'settings', icon: 'user' },
  item: User,
  reference: { key: 'email', fields: ['owner', 'user'] },
  tabs: { tenant: [peopleTab] },
  columns: ({ t }) => [
    { title: label(t, 'email'), sorts: 'name', cell: ({ id, email }) => ({ text: email, href: `/users/${id}` }) },
    { title: label(t, 'status'), cell: (one) => ({ badge: effectiveBadge(t, one) }) },
    { title: label(t, 'role'), wide: true, cell: ({ roles }) => ({ text: roleNames(t, roles) }) },
    { title: label(t, 'tenant'), cell: tenantCell },
    { title: label(t, 'createdAt'), wide: true, sorts: 'age', cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  list: { filters: ['role'], actions: ({ words }) => [{ title: words.invite, href: '/do/user.invite' }] },
  detail: {
    ref: ({ email }) => email,
    async page(one, look) {
      const { t, words } = look
      const isLiving = one.deletedAt === null
      const about = isLiving ? { user: one.id, limit: 50 } : null
      const [factor, sessions, keys] = await Promise.all([
        isLiving ? look.one('totp.get', { user: one.id }, TotpState) : null,
        look.table('session', about),
        look.table('api-key', about),
      ])
      const act = { title: t.acting.start, href: `/do/user.impersonate${query({ user: one.email, _back: '/' })}` }
      const grant = { title: words.grant, href: `/do/role.grant${query({ user: one.email, _back: pageOf(one) })}` }
      const reset = { title: words.resetLink, operation: 'user.reset-link' }
      return {
        status: effectiveBadge(t, one),
        verbs: verbsOfHeld(one),
        main: [
          ...(isLiving && mayActAs(one, look) ? [act] : []),
          ...(isLiving && look.may('role.grant') ? [grant] : []),
        ],
        more: [
          ...(factor?.state === 'on' ? [{ title: t.factor.remove, operation: 'totp.delete' }] : []),
          ...(isLiving && look.may('user.reset-link') ? [reset] : []),
          ...(sessions.rows.length > 0 ? [{ title: t.account.endAll, operation: 'session.revoke-all' }] : []),
        ],
        sections: [
          ...holdSections(t, one.holds),
          userRoles(one, look),
          { title: t.account.sessions, table: sessions, empty: t.account.noSessions },
          ...(keys.rows.length > 0 ? [{ title: keys.caption, table: keys }] : []),
          { ...userFacts(t, one), isAside: true },
          ...(factor === null ? [] : [{ title: t.factor.title, facts: factorFacts(t, factor), isAside: true }]),
        ],
      }
    },
  },
  stores: { users: userStore, links: linkStore },
  counted: ({ users }) => users,
  purge: async ({ users }, moment) => ({ jobs: 0, rows: await users.purgeDeletedBefore(moment) }),
  operations: { ...operations, ...links },
})

function pageOf({ id }: User): string {
  return path`/users/${id}`
}

function mayActAs(one: User, look: Pick<Look, 'may' | 'visitor'>): boolean {
  const isOther = one.id !== look.visitor?.id
  return look.may('user.impersonate') && placeOf(one) !== 'global' && one.status === 'active' && isOther
}

function tenantCell({ tenantName }: User) {
  return tenantName === null ? { text: '–' } : { text: tenantName, href: `/tenants/${tenantName}` }
}

function userFacts(t: Texts, one: User): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'role'), text: roleNames(t, one.roles) },
      { title: label(t, 'tenant'), ...tenantCell(one) },
      { title: label(t, 'createdAt'), time: one.createdAt },
      ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

function roleNames(t: Texts, roles: readonly string[]): string {
  return roles.map((role) => roleTitle(t, role)).join(', ')
}

/** With a button to revoke each, for who may. */
function userRoles(one: User, { t, words, may }: Pick<Look<{ roles: string }>, 't' | 'words' | 'may'>): Section {
  const isRevocable = may('role.revoke') && one.deletedAt === null
  const revoke = (role: string) => `/do/role.revoke${query({ role, user: one.email, _back: pageOf(one) })}`
  const action = { title: t.account.action, hidden: true }
  return {
    title: words.roles,
    table: {
      caption: words.roles,
      columns: [{ title: label(t, 'role') }, ...(isRevocable ? [action] : [])],
      rows: one.roles.map((role) => [
        { text: roleTitle(t, role) },
        ...(isRevocable ? [{ text: t.verbs.revoke, href: revoke(role), label: role }] : []),
      ]),
    },
  }
}
