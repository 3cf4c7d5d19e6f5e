/** JSON user and group records (systemd.io/USER_RECORD, GROUP_RECORD) as nss-systemd(8) reads them from /etc/userdb. */
import type { TenantIdentity } from '../../os/tenant-identity.ts'

/** No password and no shell: nobody signs in as a tenant by it. */
export function userRecord({ name, uid, gid }: TenantIdentity, home: string): string {
  return text({
    userName: name,
    realName: `WCP360 tenant ${name}`,
    disposition: 'regular',
    uid,
    gid,
    homeDirectory: home,
    shell: '/usr/sbin/nologin',
  })
}

export function groupRecord({ name, gid }: TenantIdentity): string {
  return text({ groupName: name, disposition: 'regular', gid })
}

function text(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`
}
