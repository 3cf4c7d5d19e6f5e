/** The facts of the machine for a tenant that exists. Creation, restoration and drift are all this one list. */
import type { TenantLimits } from '../../../contract/values.ts'
import type { AdoptableFile } from '../../adopted-text.ts'
import type { Machine } from '../../os/machine.ts'
import type { TenantIdentity } from '../../os/tenant-identity.ts'
import { renderFpmConfig } from '../../render/fpm.ts'
import { absentPath } from '../../steps/absent-path.ts'
import { adoptableFile } from '../../steps/adoptable-file.ts'
import { appliedLimits } from '../../steps/applied-limits.ts'
import { directory } from '../../steps/directory.ts'
import { link } from '../../steps/link.ts'
import type { Step } from '../../steps/step.ts'
import { textFile } from '../../steps/text-file.ts'
import { groupRecord, userRecord } from './user-records.ts'

const root = { uid: 0, gid: 0 }
const readable = { mode: 0o644, ...root }

/** All but the `live` marker, which is the tenant's state. */
export function tenantFacts(machine: Machine, tenant: TenantIdentity, limits: TenantLimits): readonly Step[] {
  const { customers, web, tenantLogs } = machine.places
  const { name, uid, gid } = tenant
  return [
    ...accountFacts(machine, tenant, limits),
    directory({ path: tenantLogs(name), mode: 0o750, ...root }),
    directory({ path: customers.tenant(name), mode: 0o711, ...root }),
    directory({ path: customers.home(name), mode: 0o700, uid, gid }),
    directory({ path: customers.tmp(name), mode: 0o700, uid, gid }),
    directory({ path: customers.sites(name), mode: 0o711, ...root }),
    directory({ path: web.tenant(name), mode: 0o711, ...root }),
    directory({ path: web.sites(name), mode: 0o711, ...root }),
    fpmConfigFact(machine, tenant, limits),
    appliedLimits({ tenant, limits, record: web.limits(name), owner: root }),
  ]
}

/** Linux user and group, as records of nss-systemd: seen at once, without rewriting /etc/passwd. */
export function accountFacts(machine: Machine, tenant: TenantIdentity, limits: TenantLimits): readonly Step[] {
  const at = recordPaths(machine.places, tenant)
  return [
    textFile({ path: at.group, text: groupRecord(tenant), ...readable }),
    link({ path: at.groupByGid, target: `${tenant.name}.group` }),
    // before the user is there sshd has no other rules for it than for tenants
    textFile({ path: at.membership, text: '{}\n', ...readable }),
    userFact(machine, tenant, limits),
    link({ path: at.userByUid, target: `${tenant.name}.user` }),
  ]
}

/** The record of the user, which says what SSH gives. */
function userFact({ places }: Machine, tenant: TenantIdentity, { sshAccess = 'none' }: TenantLimits): Step {
  const text = userRecord(tenant, places.customers.home(tenant.name), sshAccess)
  return textFile({ path: recordPaths(places, tenant).user, text, ...readable })
}

export function absentAccount({ places }: Machine, tenant: TenantIdentity): readonly Step[] {
  const at = recordPaths(places, tenant)
  return [at.userByUid, at.user, at.membership, at.groupByGid, at.group].map(absentPath)
}

function recordPaths({ userdb, sshMembership }: Machine['places'], { name, uid, gid }: TenantIdentity) {
  return {
    membership: sshMembership(name),
    user: `${userdb}/${name}.user`,
    userByUid: `${userdb}/${uid}.user`,
    group: `${userdb}/${name}.group`,
    groupByGid: `${userdb}/${gid}.group`,
  }
}

export function fpmConfigFact(machine: Machine, tenant: TenantIdentity, limits: TenantLimits): Step {
  return adoptableFile(fpmConfig(machine, tenant, limits))
}

/** PHP runs as the tenant, so another text gives nobody more than the tenant has. */
export function fpmConfig({ places }: Machine, { name, gid }: TenantIdentity, limits: TenantLimits): AdoptableFile {
  const text = renderFpmConfig(places, { name, limits })
  return { path: places.web.fpmConfig(name), text, mode: 0o640, uid: 0, gid, record: places.web.fpmAdopted(name) }
}

/** The file as the panel writes it, and nothing adopted any more. */
export function ownFpmConfig(machine: Machine, tenant: TenantIdentity, limits: TenantLimits): readonly Step[] {
  const file = fpmConfig(machine, tenant, limits)
  return [{ ...textFile(file), name: `file ${file.path} as the panel writes it` }, absentPath(file.record)]
}

/** One file is the whole suspension: the web server looks for it at each request. */
export function liveTenant({ places }: Machine, tenant: TenantIdentity): Step {
  return textFile({ path: places.web.live(tenant.name), text: '', mode: 0o644, ...root })
}

export function closedTenant({ places }: Machine, tenant: TenantIdentity): Step {
  return absentPath(places.web.live(tenant.name))
}
