/** The way from an empty panel to its first site, until that is there. */
import type { FastifyRequest } from 'fastify'
import type { Fact, Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { packageKind } from '../../resources/package/kind.ts'
import { Setting, type SettingKey } from '../../resources/settings/schema.ts'
import { tenant } from '../../resources/tenant/kind.ts'
import { TotpState } from '../../resources/totp/schema.ts'
import { makerOf } from './list-routes.ts'
import type { PageKit } from './page-kit.ts'

const shown: SettingKey = 'overview.first_steps'
const dismissal = `/do/settings.update${query({ key: shown, value: 'false', _back: '/' })}`

/** @param numbers of what is there, by kind; null: nothing is left to say, or it is not for this visitor */
export async function firstSteps(
  kit: PageKit,
  request: FastifyRequest,
  numbers: ReadonlyMap<string, number>,
): Promise<Section | null> {
  const { deps } = kit
  const t = kit.textsOf(request)
  const sale = makerOf(kit, request, tenant)
  const { actor } = request
  if (actor?.kind !== 'user' || sale === undefined || numbers.get('domain') !== 0) return null
  const mayDismiss = kit.may(request, 'settings.update')
  if (mayDismiss && (await isDismissed(kit, request))) return null
  const { state } = TotpState.parse((await kit.run(request, 'totp.get', { user: actor.email })).value)
  const plan = makerOf(kit, request, packageKind)
  const w = t.firstSteps
  return {
    title: w.title,
    ...(mayDismiss && { link: { title: w.dismiss, href: dismissal } }),
    facts: [
      step(w.factor, state === 'on', { text: w.setUp, href: '/account' }),
      step(w.mail, deps.auth.canMail, { text: w.mailSetting }),
      ...(plan === undefined ? [] : [step(w.plan, isThere('package'), { text: w.create, href: `/do/${plan}` })]),
      step(w.customer, isThere('tenant'), { text: w.create, href: `/do/${sale}` }),
      ...(kit.may(request, 'domain.create')
        ? [step(w.site, false, { text: w.create, href: `/do/domain.create${query({ _back: '/' })}` })]
        : []),
    ],
  }

  function isThere(kind: string): boolean {
    return (numbers.get(kind) ?? 0) > 0
  }

  function step(title: string, isDone: boolean, open: Omit<Fact, 'title'>): Fact {
    return { title, ...(isDone ? { badge: { text: w.done, tone: 'good' } } : open) }
  }
}

async function isDismissed(kit: PageKit, request: FastifyRequest): Promise<boolean> {
  const { value } = Setting.parse((await kit.run(request, 'settings.get', { key: shown })).value)
  return value === false
}
