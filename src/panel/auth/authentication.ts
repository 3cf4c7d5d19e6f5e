/** All that finds out who comes, put together once: each part rests on those above it. */
import type { Base } from '../base.ts'
import type { CallLimits } from '../call-limits.ts'
import type { AgentLink } from '../jobs/agent-link.ts'
import { accessTokens } from './access-tokens.ts'
import { acquaintance } from './acquaintance.ts'
import { apiKeys } from './api-keys.ts'
import { programs } from './bearer.ts'
import { bootstrap } from './bootstrap.ts'
import { challengeTable } from './challenges.ts'
import { knownNetworks } from './known-networks.ts'
import { links } from './links.ts'
import { sessionTable } from './sessions.ts'
import { signIn } from './sign-in.ts'
import { loginThrottle } from './throttle.ts'
import { tokenKeys } from './token-keys.ts'
import { visitors } from './visitors.ts'

export interface AuthenticationOptions extends Base {
  readonly limits: Pick<CallLimits, 'entries' | 'repeats'>
  readonly link: AgentLink
  /** A letter waits to be sent. */
  readonly onMail: () => void
}

export type Authentication = Awaited<ReturnType<typeof authentication>>

export async function authentication({ limits, link, onMail, ...base }: AuthenticationOptions) {
  const { db, keys, config } = base
  const sessions = sessionTable(() => ({
    idleMinutes: config.now.sessionIdleMinutes,
    adminIdleMinutes: config.now.adminIdleMinutes,
    hours: config.now.sessionHours,
  }))
  const challenges = challengeTable()
  const throttle = loginThrottle(
    () => ({ perAccount: config.now.loginAttempts, perNetwork: 30, globalPerMinute: 200 }),
    (ip) => limits.entries.refused('sign-ins', { actor: null, ip }),
  )
  const visiting = visitors({ ...base, sessions, csrfKey: keys.csrf })
  const networks = knownNetworks()
  await networks.load(db)
  const acquainted = acquaintance({ db, networks, key: keys.devices })
  const persons = { ...base, visitors: visiting, throttle, acquaintance: acquainted }
  const signing = signIn({ ...persons, sessions, challenges, repeats: limits.repeats })
  const tokens = accessTokens({
    db,
    sessions,
    visitors: visiting,
    keys: tokenKeys(keys.tokens),
    baseUrl: () => config.now.baseUrl,
  })
  const keysOfPrograms = apiKeys(base)
  return {
    sessions,
    challenges,
    networks,
    visitors: visiting,
    acquaintance: acquainted,
    signIn: signing,
    accessTokens: tokens,
    apiKeys: keysOfPrograms,
    programs: programs(keysOfPrograms, tokens),
    setup: bootstrap({ ...persons, sessions, signIn: signing, link }),
    links: links({
      ...base,
      canMail: () => config.canMail,
      onMail,
      onRefused: (ip) => limits.entries.refused('links', { actor: null, ip }),
    }),
  }
}
