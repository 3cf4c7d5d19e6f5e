/** JSON user and group records (systemd.io/USER_RECORD, GROUP_RECORD) as nss-systemd(8) reads them from /etc/userdb. */
import type { SshAccess } from '../../../contract/values.ts'
import type { TenantIdentity } from '../../os/tenant-identity.ts'

/**
 * Paths of the view that `wcpd-session` builds, which does not open one for the last of them. On the machine itself none is
 * there, and sshd(8), su(1) and others let nobody in whose shell does not exist.
 */
const shells = { shell: '/run/wcp360/bash', sftp: '/run/wcp360/sftp-only', none: '/run/wcp360/closed' } as const

/** No password, and no shell outside of an SSH session's view. */
export function userRecord({ name, uid, gid }: TenantIdentity, home: string, access: SshAccess): string {
  return text({
    userName: name,
    realName: `WCP360 tenant ${name}`,
    disposition: 'regular',
    uid,
    gid,
    homeDirectory: home,
    shell: shells[access],
  })
}

export function groupRecord({ name, gid }: TenantIdentity): string {
  return text({ groupName: name, disposition: 'regular', gid })
}

function text(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`
}
