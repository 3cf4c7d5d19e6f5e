/** Migrations of what all kinds share, in order; a kind brings those of its own tables. */
import { foundation } from './0001-foundation.ts'
import { firstRoles } from './0002-first-roles.ts'
import { resale } from './0003-resale.ts'
import { auditMirror } from './0004-audit-mirror.ts'
import { factors } from './0005-factors.ts'
import { manyTenants } from './0006-many-tenants.ts'
import { mail } from './0007-mail.ts'
import { apiKeys } from './0008-api-keys.ts'
import { keptAnswers } from './0009-kept-answers.ts'
import { clientCertificates } from './0010-client-certificates.ts'
import { addressChanged } from './0011-address-changed.ts'
import { domainProofs } from './0012-domain-proofs.ts'
import { signedRequests } from './0013-signed-requests.ts'
import { webhooks } from './0014-webhooks.ts'
import { domainClaims } from './0015-domain-claims.ts'
import { namesByProof } from './0016-names-by-proof.ts'
import { partsOfNames } from './0017-parts-of-names.ts'
import { holds } from './0018-holds.ts'
import { knownNetworks } from './0019-known-networks.ts'
import { epochs } from './0020-epochs.ts'
import { tenantCommands } from './0022-tenant-commands.ts'
import { egress } from './0023-egress.ts'
import { holdsOfPeople } from './0024-holds-of-people.ts'
import { locks } from './0025-locks.ts'
import { displayNames } from './0027-display-names.ts'
import { usage } from './0028-usage.ts'
import { auditByWhom } from './0029-audit-by-whom.ts'
import { trashOfKeys } from './0030-trash-of-keys.ts'
import { newest } from './0037-newest.ts'
import { sshAccess } from './0040-ssh-access.ts'
import type { Migration } from './migration.ts'

export const coreMigrations: readonly Migration[] = [
  foundation,
  firstRoles,
  resale,
  auditMirror,
  factors,
  manyTenants,
  mail,
  apiKeys,
  keptAnswers,
  clientCertificates,
  addressChanged,
  domainProofs,
  signedRequests,
  webhooks,
  domainClaims,
  namesByProof,
  partsOfNames,
  holds,
  knownNetworks,
  epochs,
  tenantCommands,
  egress,
  holdsOfPeople,
  locks,
  displayNames,
  usage,
  auditByWhom,
  trashOfKeys,
  newest,
  sshAccess,
]
