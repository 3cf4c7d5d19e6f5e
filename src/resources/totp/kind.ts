/** An authenticator app beside the password. */
import type { Fact } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import type { TotpState } from './schema.ts'
import { totpStore } from './store.ts'

export const totp = defineKind({
  name: 'totp',
  words: { one: 'authenticator app', many: 'Second factor' },
  path: '/account/second-factor',
  stores: { totp: (db, material) => totpStore(db, material, material.keys) },
  operations,
})

export function factorFacts(t: Texts, { state, since, recoveryCodesLeft }: TotpState): readonly Fact[] {
  return [
    { title: t.factor.app, badge: { text: t.factor.states[state], tone: state === 'on' ? 'good' : 'idle' } },
    ...(since === null ? [] : [{ title: t.factor.since, time: since }]),
    ...(state === 'on' ? [{ title: t.factor.codesLeft, text: recoveryCodesLeft }] : []),
  ]
}
