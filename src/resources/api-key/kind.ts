/** Credentials with which programs act for their owners. */
import { type Section, statusBadge } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { isOfBilling, isOfDeploying, isReading } from '../presets.ts'
import { permissionSection } from '../role/kind.ts'
import * as operations from './operations.ts'
import { ApiKey } from './schema.ts'
import { apiKeyStore } from './store.ts'

const path = '/api-keys'

const words = {
  one: 'API key',
  many: 'API keys',
  lede: 'What programs show to act for you, each for the operations that it names.',
  add: 'New API key',
  none: 'No API keys',
  noneText: 'A program that calls the API needs a key. It is shown once, when it is made.',
  beginning: 'Begins with',
  everywhere: 'everywhere',
  use: 'Used',
  signs: 'to sign requests, never sent',
  never: 'never',
  presets: { reading: 'Read only', deploying: 'Deploy', billing: 'Billing' },
}

export const apiKey = defineKind({
  name: 'api-key',
  words,
  path,
  menu: { group: 'developer', icon: 'key' },
  item: ApiKey,
  columns: ({ t, words }) => [
    {
      title: label(t, 'name'),
      cell: ({ id, name, email }) => ({ text: name, href: `${path}/${id}`, sub: email }),
    },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status, t.statuses) }) },
    { title: words.beginning, wide: true, cell: ({ beginning }) => ({ code: beginning }) },
    { title: label(t, 'lastUsedAt'), cell: (key) => usedCell(key, words) },
    { title: label(t, 'expiresAt'), wide: true, cell: ({ expiresAt }) => ({ time: expiresAt }) },
  ],
  list: { begin: ({ email }) => ({ user: email, _back: path }) },
  detail: {
    ref: ({ id }) => id,
    async page(one, { t, words, may }) {
      const href = `/do/api-key.revoke${query({ apiKey: one.id, _back: path })}`
      return {
        title: one.name,
        status: statusBadge(one.status),
        main: one.deletedAt === null && may('api-key.revoke') ? [{ title: t.verbs.revoke, href, danger: true }] : [],
        sections: [
          permissionSection(t, { holdsAll: false, permissions: one.scopes }),
          { ...apiKeyFacts(t, one, words), isAside: true },
        ],
      }
    },
  },
  presets: {
    scopes: [
      { title: ({ presets }) => presets.reading, has: isReading },
      { title: ({ presets }) => presets.deploying, has: isOfDeploying },
      { title: ({ presets }) => presets.billing, has: isOfBilling },
    ],
  },
  stores: { apiKeys: (db, material) => apiKeyStore(db, material, material.keys) },
  purge: async ({ apiKeys }, moment) => ({ jobs: 0, rows: await apiKeys.purgeBefore(moment) }),
  operations,
})

function apiKeyFacts(t: Texts, key: ApiKey, own: typeof words): Section {
  return {
    title: t.job.about,
    facts: [
      { title: own.beginning, code: key.beginning },
      { title: label(t, 'owner'), text: key.email },
      ...(key.isSigned ? [{ title: own.use, text: own.signs }] : []),
      { title: label(t, 'addresses'), text: key.addresses.length === 0 ? own.everywhere : key.addresses.join(', ') },
      { title: label(t, 'lastUsedAt'), ...usedCell(key, own) },
      { title: label(t, 'createdAt'), time: key.createdAt },
      ...(key.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: key.deletedAt }]),
      { title: label(t, 'expiresAt'), time: key.expiresAt },
      { title: label(t, 'id'), code: key.id },
    ],
  }
}

function usedCell({ lastUsedAt }: ApiKey, { never }: typeof words) {
  return lastUsedAt === null ? { text: never } : { time: lastUsedAt }
}
