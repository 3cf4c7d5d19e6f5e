/** The operations of each kind with their own types, which the registry forgets. */

import * as apiKey from '../../src/resources/api-key/operations.ts'
import * as audit from '../../src/resources/audit/operations.ts'
import * as clientCertificate from '../../src/resources/client-certificate/operations.ts'
import * as condition from '../../src/resources/condition/operations.ts'
import * as domain from '../../src/resources/domain/operations.ts'
import * as health from '../../src/resources/health/operations.ts'
import * as job from '../../src/resources/job/operations.ts'
import * as mail from '../../src/resources/mail/operations.ts'
import * as packages from '../../src/resources/package/operations.ts'
import * as policy from '../../src/resources/policy/operations.ts'
import * as probe from '../../src/resources/probe/operations.ts'
import * as reseller from '../../src/resources/reseller/operations.ts'
import * as role from '../../src/resources/role/operations.ts'
import * as session from '../../src/resources/session/operations.ts'
import * as settings from '../../src/resources/settings/operations.ts'
import * as tenantLocks from '../../src/resources/tenant/lock-operations.ts'
import * as tenant from '../../src/resources/tenant/operations.ts'
import * as totp from '../../src/resources/totp/operations.ts'
import * as userLinks from '../../src/resources/user/link-operations.ts'
import * as user from '../../src/resources/user/operations.ts'
import * as webhook from '../../src/resources/webhook/operations.ts'

export const slices = {
  tenant: { ...tenant, ...tenantLocks },
  domain,
  package: packages,
  user: { ...user, ...userLinks },
  role,
  reseller,
  session,
  'api-key': apiKey,
  totp,
  policy,
  probe,
  mail,
  webhook,
  condition,
  job,
  audit,
  settings,
  health,
  'client-certificate': clientCertificate,
} as const
