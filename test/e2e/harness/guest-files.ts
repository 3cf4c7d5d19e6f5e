// The files that turn unpacked Debian packages into a test machine.

import type { HostRegistries } from './registries.ts'

export type GuestIdentity = HostRegistries & { readonly authorizedKey: string }

/** Path → text. Directories are made as needed; what lies in /root is for root alone. */
export function guestFiles(identity: GuestIdentity): Record<string, string> {
  const { registries, npmRegistry, aptSettings, certificates, authorizedKey } = identity
  const names = new Map(registries.map(({ host, address }) => [host, address]))
  const authorities = Object.entries(certificates).map(([name, text]) => [
    `/usr/local/share/ca-certificates/${name}`,
    text,
  ])
  return {
    '/etc/hostname': 'server\n',
    '/etc/default/locale': 'LANG=C.UTF-8\n',
    '/etc/hosts': lines(
      '127.0.0.1 localhost',
      '127.0.1.1 server.example.test server',
      ...[...names].map(([host, address]) => `${address} ${host}`),
    ),
    '/etc/resolv.conf': 'nameserver 127.0.0.1\n', // no name service: the registries are in /etc/hosts, the rest does not exist
    // A set id: with an empty one the first boot applies presets, which would enable ssh.socket.
    '/etc/machine-id': '5f0e7a3c1d2b4c6f8a9be0d1c2f3a4b5\n',
    '/etc/fstab': lines(
      'LABEL=root / ext4 defaults,noatime 0 0',
      'LABEL=srv /srv ext4 defaults,noatime,usrquota,prjquota,nofail 0 0',
    ),
    '/etc/systemd/network/10-eth.network': ethernet,
    '/etc/apt/apt.conf.d/99host': lines('Acquire::Languages "none";', ...aptSettings),
    '/etc/dpkg/dpkg.cfg.d/90small': lines(
      'path-exclude=/usr/share/man/*',
      'path-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo',
    ),
    '/etc/ssh/sshd_config.d/00-harness.conf': lines(
      'UseDNS no',
      'PermitRootLogin prohibit-password',
      'MaxSessions 100',
      'MaxStartups 100',
    ),
    '/etc/systemd/journald.conf.d/harness.conf': lines('[Journal]', 'Storage=persistent', 'SystemMaxUse=64M'),
    '/root/.ssh/authorized_keys': authorizedKey,
    '/root/.npmrc': lines(
      `registry=${npmRegistry}`,
      'cafile=/etc/ssl/certs/ca-certificates.crt',
      'update-notifier=false',
    ),
    ...Object.fromEntries(authorities),
  }
}

export const readyFiles: Readonly<Record<string, string>> = {
  '/etc/modules-load.d/harness.conf': lines('quota_v2', 'quota_tree'),
}

/** Nothing wakes up by itself during a test. */
export const maskedUnits = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'man-db.timer',
  'nsd.service', // tests start their own
  'phpsessionclean.timer',
  'systemd-pcrphase.service',
  'systemd-timesyncd.service',
  'quotaon.service', // quotas are on from the mount (feature of the file system); quotaon(8) then fails
  'quotaon@srv.service',
]

const ethernet = lines(
  '[Match]',
  'Name=eth0',
  '[Network]',
  'Address=10.0.2.15/24',
  'Gateway=10.0.2.2',
  'LinkLocalAddressing=no',
  'IPv6AcceptRA=no',
)

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
