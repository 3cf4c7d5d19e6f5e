// What is installed in an image. Everything else, install.sh under test has to bring.

import type { Suite } from './apt-sources.ts'

/** A minimal server as a hoster hands it out. */
export const minimalServer = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'udev',
  'init',
  'linux-image-cloud-amd64',
  'initramfs-tools',
  'lz4',
  'iproute2',
  'kmod',
  'login',
  'passwd',
  'netbase',
  'openssh-server',
  'ca-certificates',
  'curl',
]

/** The product's system packages, and what tests look at the machine with. */
export const productPackages = [
  'nginx',
  'php-fpm',
  'php-cli',
  'php-bcmath',
  'php-curl',
  'php-gd',
  'php-intl',
  'php-mbstring',
  'php-mysql',
  'php-sqlite3',
  'php-xml',
  'php-zip',
  'acl',
  'bubblewrap',
  'e2fsprogs',
  'libatomic1',
  'libnss-systemd',
  'logrotate',
  'nftables',
  'openssl',
  'procps',
  'quota',
  'rsync',
  'jq',
  'lynx',
  'nsd',
  'sqlite3',
  'strace',
]

/** Debian's DokuWiki and the libraries that it expects elsewhere; unpacked only. */
export const dokuwikiPackages: Readonly<Record<Suite, readonly string[]>> = {
  trixie: [
    'dokuwiki',
    'libjs-jquery',
    'libjs-jquery-cookie',
    'libjs-jquery-ui',
    'libphp-simplepie',
    'php-constant-time',
    'php-geshi',
    'php-kissifrot-php-ixr',
    'php-phpseclib3',
  ],
  bookworm: [
    'dokuwiki',
    'libjs-jquery',
    'libjs-jquery-cookie',
    'libjs-jquery-ui',
    'libphp-simplepie',
    'php-geshi',
    'php-phpseclib',
  ],
}
