/**
 * One entry for each class of attacks C01-C37, in their order (C38 is the group `evil-panel`): whoever adds a feature finds
 * here what now has to be attacked.
 */
import type { AttackClass } from './attack-class.ts'
import { shellInjection } from './c01-shell-injection.ts'
import { options } from './c02-options.ts'
import { secondOrder } from './c03-second-order.ts'
import { linksUnderRoot } from './c04-links.ts'
import { linksOnTheWeb } from './c05-web-links.ts'
import { logsOfRoot } from './c06-logs.ts'
import { traversal } from './c07-traversal.ts'
import { directives } from './c11-directives.ts'
import { phpSockets } from './c12-php-sockets.ts'
import { environment } from './c13-environment.ts'
import { names } from './c14-names.ts'
import { openRoutes } from './c15-open-routes.ts'
import { csrf } from './c16-csrf.ts'
import { sessionFixation } from './c17-sessions.ts'
import { hostHeader } from './c18-host-header.ts'
import { clientAddresses } from './c19-client-address.ts'
import { storedXss } from './c20-stored-xss.ts'
import { pollution } from './c21-pollution.ts'
import { othersThings } from './c22-others-things.ts'
import { domainTakeover } from './c23-domain-takeover.ts'
import { races } from './c24-races.ts'
import { signedTokens } from './c25-tokens.ts'
import { guessing } from './c26-guessing.ts'
import { keyScopes } from './c27-key-scopes.ts'
import { neighbours } from './c29-neighbours.ts'
import { logLines } from './c31-logs.ts'
import { sizeAndTime } from './c32-size-and-time.ts'
import { ssrf } from './c33-ssrf.ts'
import { secretLeaks } from './c35-secrets.ts'
import { defaults } from './c36-defaults.ts'
import { runtime } from './c37-runtime.ts'

export const classes = {
  C01: shellInjection,
  C02: options,
  C03: secondOrder,
  C04: linksUnderRoot,
  C05: linksOnTheWeb,
  C06: logsOfRoot,
  C07: traversal,
  C08: { name: 'archives', nothingYet: 'backups, file manager, deployments' },
  C09: { name: 'restores that trust their manifest', nothingYet: 'backups' },
  C10: {
    name: 'dumps are programs',
    nothingYet: 'import; dumps of the trash are in test/provisioners/mariadb.test.ts and postgresql.test.ts',
  },
  C11: directives,
  C12: phpSockets,
  C13: environment,
  C14: names,
  C15: openRoutes,
  C16: csrf,
  C17: sessionFixation,
  C18: hostHeader,
  C19: clientAddresses,
  C20: storedXss,
  C21: pollution,
  C22: othersThings,
  C23: domainTakeover,
  C24: races,
  C25: signedTokens,
  C26: guessing,
  C27: keyScopes,
  C28: { name: 'backups that others read', nothingYet: 'backups' },
  C29: neighbours,
  C30: {
    name: 'rights in databases',
    nothingYet: 'a server on this stage; see mariadb.test.ts and postgresql.test.ts in test/provisioners',
  },
  C31: logLines,
  C32: sizeAndTime,
  C33: ssrf,
  C34: { name: 'the way of updates', nothingYet: 'updates by the panel itself' },
  C35: secretLeaks,
  C36: defaults,
  C37: runtime,
} as const satisfies Record<string, AttackClass>
