/** Settings of the whole panel. */
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import type { Texts } from '../../lib/texts.ts'
import { defineKind, type Offer } from '../kind.ts'
import * as operations from './operations.ts'
import { SettingKey, settingDefinitions } from './schema.ts'
import { settingStore } from './store.ts'

export const settings = defineKind({
  name: 'settings',
  words: {
    one: 'setting',
    many: 'Settings',
    lede: 'What the whole panel goes by.',
    none: 'No settings',
    noneText: 'This version has nothing to set here.',
  },
  path: '/settings',
  menu: { group: 'settings', icon: 'settings' },
  offers: (field, { key }, t) => (field === 'value' ? offered(key, t) : undefined),
  stores: { settings: settingStore },
  operations,
})

/** Settings of few values are chosen instead of typed. */
function offered(name: string | undefined, t: Texts): Offer[] | undefined {
  const key = SettingKey.safeParse(name).data
  if (key === undefined) return undefined
  const asked = fieldNamed(z.object({ value: settingDefinitions[key].schema }), 'value')
  if (asked?.type === 'boolean')
    return [
      { value: 'true', title: t.form.on },
      { value: 'false', title: t.form.off },
    ]
  if (asked?.type !== 'choice') return undefined
  const none = asked.nullable ? [{ value: '', title: t.settings.automatic }] : []
  return [...none, ...asked.choices.map((value) => ({ value, title: value }))]
}
