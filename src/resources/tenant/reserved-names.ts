/**
 * Names that no tenant gets, because something on a Debian or Ubuntu server has, or may get, an account, a group, a
 * service or a directory of that name. The root side also asks the living machine; this list gives an answer at once.
 */

/** `base-passwd` and the users and groups of common packages, as far as they could be written as a tenant's name. */
const accounts = `
root daemon bin sys sync games man lp mail news uucp proxy backup list irc gnats nobody nogroup adm tty disk kmem
dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users input sgx
kvm render crontab netdev messagebus sshd ssh uuidd tss polkitd ntp ntpsec chrony postfix postdrop dovecot dovenull
vmail mysql mariadb postgres redis valkey memcache memcached mongodb nginx apache apache2 httpd www caddy haproxy
varnish squid bind named unbound pdns powerdns dnsmasq ftp proftpd pureftpd vsftpd sftp clamav amavis rspamd rspamdbl
opendkim opendmarc spamd debianspamd spamassassin mailman exim debianexim courier cyrus sogo git gitea gitlab jenkins
docker podman containerd lxd lxc libvirt rtkit avahi colord cups geoclue pulse saned usbmux whoopsie kernoops syslog
rsyslog landscape pollinate tcpdump fwupd snapd ubuntu debian admin administrator wheel sgxprv nscd sssd ldap
openldap slapd radius freerad krb5 snmp munin nagios icinga zabbix prometheus grafana telegraf influxdb collectd
node nodejs php phpfpm python ruby java tomcat jetty elasticsearch kibana logstash rabbitmq kafka zookeeper minio
etcd consul vault nomad
`

const services = `
cron atd dbus getty login logind journald udev udevd resolved timesyncd networkd network networking firewall nftables
iptables ufw fail2ban crowdsec acpid apparmor auditd certbot restic rclone borg quota quotaon logrotate
unattended reboot halt poweroff shutdown rescue emergency multi graphical basic sysinit timers sockets paths slices
user machine system init
`

const directories = `
boot dev etc home lib lib32 lib64 media mnt opt proc run sbin srv tmp usr var local share spool cache log logs lock
trash lost default hosts sites site tenants tenant public private web webmail panel api status
`

/** Whole families: the panel's own, systemd's, and the users that units and games of a package get. */
const families = ['wcp', 'systemd', 'dynamic']

const reserved = new Set([accounts, services, directories].flatMap((list) => list.trim().split(/\s+/)))

export function isReservedName(name: string): boolean {
  return reserved.has(name) || families.some((family) => name.startsWith(family)) || /^php\d+$/.test(name)
}
