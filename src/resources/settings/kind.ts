/** Settings of the whole panel. */
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
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
  stores: { settings: settingStore },
  operations,
})
