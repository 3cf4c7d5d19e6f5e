/** Native calls. Root code only: the panel's bundle must never reach this file. */
import { isPacked } from './assets.ts'
import { loadPackedAddon } from './native-addon.ts'
import { requireFromSource } from './require-from-source.ts'

export type Koffi = typeof import('koffi')

let loaded: Koffi | undefined

/** Loaded at the first call (3 ms), so that commands which need no native call do not pay for it. */
export function koffi(): Koffi {
  loaded ??= (isPacked() ? loadPackedAddon('koffi') : requireFromSource('koffi')) as Koffi // both are untyped loaders
  return loaded
}
