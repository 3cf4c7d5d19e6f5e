/**
 * One entry for each class of attacks C01-C37, in their order (C38 is the group `evil-panel`): whoever adds a feature finds
 * here what now has to be attacked.
 */
import type { AttackClass } from './attack-class.ts'
import { shellInjection } from './c01-shell-injection.ts'
import { secondOrder } from './c03-second-order.ts'
import { linksUnderRoot } from './c04-links.ts'
import { linksOnTheWeb } from './c05-web-links.ts'
import { phpSockets } from './c12-php-sockets.ts'
import { environment } from './c13-environment.ts'
import { csrf } from './c16-csrf.ts'
import { sessionFixation } from './c17-sessions.ts'
import { hostHeader } from './c18-host-header.ts'
import { storedXss } from './c20-stored-xss.ts'
import { neighbours } from './c29-neighbours.ts'

export const classes = {
  C01: shellInjection,
  C03: secondOrder,
  C04: linksUnderRoot,
  C05: linksOnTheWeb,
  C08: { name: 'archives', nothingYet: 'backups, file manager, deployments' },
  C09: { name: 'restores that trust their manifest', nothingYet: 'backups' },
  C10: { name: 'dumps are programs', nothingYet: 'databases' },
  C12: phpSockets,
  C13: environment,
  C16: csrf,
  C17: sessionFixation,
  C18: hostHeader,
  C20: storedXss,
  C28: { name: 'backups that others read', nothingYet: 'backups' },
  C29: neighbours,
  C30: { name: 'rights in databases', nothingYet: 'databases' },
  C33: { name: 'requests that lead inside', nothingYet: 'webhooks, remote backups, imports, ACME' },
  C34: { name: 'the way of updates', nothingYet: 'updates by the panel itself' },
} as const satisfies Record<string, AttackClass>
