#!/usr/bin/env bash
# Installs WCP360 on Debian 12 or 13, Ubuntu 22.04 or 24.04; "./install.sh --help" tells the rest.
#
# Every step looks first and changes only what is not yet so: it may be interrupted anywhere and run again.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
readonly here
readonly program=/opt/wcp360/bin/wcpd
readonly supervisor=/opt/wcp360/bin/wcpd-supervise
readonly session_opener=/opt/wcp360/bin/wcpd-session
readonly config=/etc/wcp360/config.yaml
readonly log=/var/log/wcp360-install.log
readonly units=(wcpd.service wcpd-panel.service wcpd-panel.socket wcpd-waker.service wcpd-web-log.service wcpd-web-log.socket wcp.slice)
readonly nginx_drop_in=/etc/systemd/system/nginx.service.d/wcp360.conf
# it sorts first: of two words for the same user sshd takes the first
readonly sshd_door=/etc/ssh/sshd_config.d/00-wcp360.conf
readonly namespace_conf=/etc/security/namespace.d/wcp360.conf
readonly stamp=/var/lib/wcp360-web/.default-site-removed
readonly php_stamps=/var/lib/wcp360-web/.php-master-off
# Something was put in place that the running daemon does not have yet; it outlives an installer that was killed.
readonly restart_due=/run/wcp360-install.restart

usage() {
  cat <<'TEXT'
Usage: ./install.sh [--prebuilt FILE]     install, or bring an installation up to date
       ./install.sh --wp-cli FILE --wordpress FILE
                                          let customers install WordPress, or another release of it
       ./install.sh --uninstall           remove everything but data
       ./install.sh --purge [--yes]       remove data too, after asking

  --prebuilt FILE   install this built executable: no Node, no npm, no build
  --wp-cli FILE     wp-cli.phar
  --wordpress FILE  a release of WordPress as .tar.gz; either is replaced alone, too
  --yes             do not ask before --purge
TEXT
}

# ---- words on the screen ----------------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }
note() { printf 'note: %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

step_number=0
steps_total=0
step_text='' step_job='' step_ticker=''
# Where nothing ever comes from.
exec {nothing}<> <(:)
# step TEXT COMMAND...: one line when it begins, one sign of life every ten seconds, its words in the log.
step() {
  local text=$1
  shift
  if [ ! -e "$log" ]; then install -m 0600 /dev/null "$log"; fi
  step_number=$((step_number + 1))
  printf '[%d/%d] %s\n' "$step_number" "$steps_total" "$text"
  printf '\n== %s %s\n' "$(date -Is)" "$text" >>"$log"
  step_text=$text
  sign_of_life 9>&- &
  step_ticker=$!
  local code=0
  # A process group of its own, which "interrupted" ends; not in a condition, where "set -e" would be off for every command.
  set -m
  (set -e && "$@") </dev/null >>"$log" 2>&1 {nothing}<&- &
  step_job=$!
  set +m
  # "wait" alone loses a Ctrl-C that comes while it begins (bash 5.2). A read is no process more for each look, as a sleep is.
  while kill -0 "$step_job" 2>/dev/null; do read -r -t 0.2 -u "$nothing" || true; done
  wait "$step_job" || code=$?
  step_job=''
  end_ticker
  [ "$code" -eq 0 ] && return
  printf 'error: %s failed; the last lines of %s:\n' "$text" "$log" >&2
  tail -n 15 "$log" | sed 's/^/    /' >&2
  printf 'Mend the cause and run the same command again: it goes on where it stopped.\n' >&2
  exit 1
}

end_ticker() {
  kill "$step_ticker" 2>/dev/null || true
  wait "$step_ticker" 2>/dev/null || true
}

# The last line of the log is what is waited for.
sign_of_life() {
  local parent=$$ seconds=0
  # whoever reads our words waits for the last one who could write some
  while sleep 10 >/dev/null 2>&1 && kill -0 "$parent" 2>/dev/null; do
    seconds=$((seconds + 10))
    printf '      still working (%d s): %s\n' "$seconds" "$(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | tr -cd '[:print:]' | cut -c 1-90)"
  done
}

# A step that is cut off takes a moment to end: the next run would only wait for its locks.
interrupted() {
  trap '' INT TERM
  printf '\nInterrupted%s. ' "${step_text:+ in step \"$step_text\"}" >&2
  if [ -n "$step_job" ]; then
    end_ticker
    kill -TERM -- "-$step_job" 2>/dev/null || true
    wait "$step_job" 2>/dev/null || true
  fi
  printf 'Nothing is broken: run the same command again, it goes on where it stopped.\n' >&2
  exit 130
}
trap interrupted INT TERM

# ---- what must be so before anything is touched -----------------------------------------------------------------------

misses=()
miss() { misses+=("$1 -> $2"); }

has_systemd() { [ -d /run/systemd/system ]; }

check_preconditions() {
  local kind=$1
  check_os
  check_machine "$kind"
  check_port http_port 80 nginx
  check_port https_port 443 nginx
  check_port listen 8360 'wcpd|systemd'
  [ "${#misses[@]}" -eq 0 ] && return
  say 'This machine is not ready:' >&2
  printf '  - %s\n' "${misses[@]}" >&2
  exit 1
}

check_os() {
  local ID='' VERSION_ID='' PRETTY_NAME='an unknown system'
  # shellcheck source=/dev/null
  [ -r /etc/os-release ] && . /etc/os-release
  case "$ID $VERSION_ID" in
    'debian 12' | 'debian 13' | 'ubuntu 22.04' | 'ubuntu 24.04') ;;
    *) miss "$PRETTY_NAME is not supported" 'use Debian 12 or 13, Ubuntu 22.04 or 24.04' ;;
  esac
  [ "$(uname -m)" = x86_64 ] || miss "$(uname -m) is not supported" 'use a machine with x86_64'
}

check_machine() {
  local memory_mb=850 disk_mb=1000 place=/opt
  if [ "$1" = source ]; then
    memory_mb=1400 disk_mb=2500 place=$here
  fi
  local total free kernel glibc
  total=$(awk '/^MemTotal:|^SwapTotal:/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo)
  [ "$total" -ge "$memory_mb" ] || miss "$total MB of memory and swap, $memory_mb MB are needed" \
    "give the machine more, add swap, or install with --prebuilt"
  free=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$disk_mb" ] || miss "$free MB free at $place, $disk_mb MB are needed" 'free some space'
  kernel=$(uname -r)
  at_least "${kernel%%-*}" 5.10 || miss "kernel $kernel is older than 5.10" 'install a newer kernel and boot it'
  glibc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
  at_least "$glibc" 2.34 || miss "glibc $glibc is older than 2.34" 'use a newer release of the system'
  if has_systemd; then
    [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || miss 'cgroup v2 is not mounted at /sys/fs/cgroup' \
      'boot with "systemd.unified_cgroup_hierarchy=1"'
    [ -r /proc/pressure/cpu ] || miss 'the kernel does not measure pressure (PSI)' 'boot with "psi=1"'
  fi
}

# at_least VERSION WANTED
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# config_port KEY DEFAULT: the port of a key, as an earlier installation was configured.
config_port() {
  local value=''
  [ -r "$config" ] && value=$(sed -n "s/^$1:[[:space:]]*[\"']\{0,1\}\([^\"'#[:space:]]*\).*/\1/p" "$config" | tail -n 1)
  value=${value##*:}
  printf '%s' "${value:-$2}"
}

check_port() {
  local port owner
  port=$(config_port "$1" "$2")
  owner=$(port_owner "$port")
  [ -z "$owner" ] && return
  [[ "$owner" =~ ^($3)$ ]] && return
  miss "port $port is taken by $owner" "stop that program, or set $1 in $config"
}

# Name of the program that listens on a TCP port; nothing when it is free.
port_owner() {
  local inodes inode found names=(-false)
  inodes=$(awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u)
  [ -n "$inodes" ] || return 0
  for inode in $inodes; do names+=(-o -lname "socket:\\[$inode\\]"); done
  # processes end while they are looked at
  found=$(find /proc/[0-9]*/fd -maxdepth 1 \( "${names[@]}" \) -print -quit 2>/dev/null || true)
  if [ -n "$found" ]; then
    program_of "${found%/fd/*}"
    return 0
  fi
  printf 'a program that cannot be seen from here'
}

# Name of a process's program; the kernel's own name for it where the file cannot be seen. Node renames its threads.
program_of() {
  local file
  if file=$(readlink "$1/exe" 2>/dev/null); then
    basename "${file% (deleted)}"
  else
    cat "$1/comm" 2>/dev/null || true
  fi
}

# ---- steps ------------------------------------------------------------------------------------------------------------

packages_wanted() {
  printf '%s\n' nginx php-fpm php-cli php-curl php-gd php-intl php-mbstring php-mysql php-sqlite3 php-xml php-zip \
    libatomic1 libnss-systemd libpam-runtime nftables openssl ca-certificates logrotate util-linux
  has_systemd || printf '%s\n' bubblewrap
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]; }

install_packages() {
  local wanted=() name
  for name in "$@"; do is_installed "$name" || wanted+=("$name"); done
  local is_broken=no
  [ -z "$(dpkg --audit)" ] || is_broken=yes
  if [ "${#wanted[@]}" -eq 0 ] && [ "$is_broken" = no ]; then return; fi
  local apt=(apt-get -qy -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold)
  "${apt[@]}" update
  if [ "$is_broken" = yes ]; then
    # What was cut off while it was unpacked cannot be configured (dpkg(1), "reinst-required"); by its name apt unpacks it anew.
    local cut_off
    mapfile -t cut_off < <(dpkg-query -W -f '${db:Status-Eflag} ${binary:Package}\n' | sed -n 's/^reinstreq //p')
    [ "${#cut_off[@]}" -eq 0 ] || "${apt[@]}" install --fix-broken --reinstall "${cut_off[@]}" || true
    dpkg --configure -a --force-confold || true
    "${apt[@]}" install --fix-broken
  fi
  [ "${#wanted[@]}" -eq 0 ] || "${apt[@]}" install --no-install-recommends "${wanted[@]}"
}

# As the owner of the checkout, so that a build never runs foreign code as root unless root owns it.
as_owner() {
  local owner
  owner=$(stat -c %U "$here")
  if [ "$owner" = root ] || [ "$owner" = UNKNOWN ]; then
    "$@"
  else
    runuser -u "$owner" -- "$@"
  fi
}

build() {
  # where the system has no npm, the packages come by curl from the registry that is configured, or else by Debian's npm
  if ! command -v npm >/dev/null; then
    if bash "$here/src/tools/packages.sh" --is-configured 2>/dev/null; then
      install_packages curl ca-certificates libatomic1
    else
      install_packages npm ca-certificates libatomic1
    fi
  fi
  cd "$here"
  as_owner env npm_config_omit=dev bash test/with-node.sh src/tools/build.ts
}

make_account() {
  local name=$1 comment=$2
  shift 2
  getent passwd "$name" >/dev/null && return
  useradd --system --user-group "$@" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
    --comment "$comment" -- "$name"
}

# The web server's workers have keys in their own group, and read sites by that of the distribution.
make_accounts() {
  make_account wcp360 'WCP360 panel'
  make_account wcp360-waker 'WCP360 waker'
  make_account wcp360-web 'WCP360 web server' --groups www-data
  make_account wcp360-log 'WCP360 web log'
  getent group wcp360-tenants >/dev/null || groupadd --system wcp360-tenants
}

# put MODE SOURCE TARGET [CHECK]: whole or not at all, and not before CHECK, given its name, has found it good.
put() {
  cmp -s "$2" "$3" && [ "$(stat -c '%a %U:%G' "$3")" = "$1 root:root" ] && return
  mkdir -p "$(dirname "$3")"
  install -m "$1" -o root -g root -- "$2" "$3.new"
  if [ $# -gt 3 ]; then "$4" "$3.new"; fi
  touch "$restart_due"
  sync -- "$3.new"
  mv -f -- "$3.new" "$3"
}

check_program() {
  "$1" --version
  "$1" self-check
}

install_program() {
  install -d -m 0755 -o root -g root /opt/wcp360 /opt/wcp360/bin
  put 755 "$1" "$program" check_program
  put 755 "$here/systemd/wcpd-supervise" "$supervisor"
  put 755 "$here/systemd/wcpd-session" "$session_opener"
  [ "$(readlink /usr/local/bin/wcp)" = "$program" ] || ln -sfn "$program" /usr/local/bin/wcp
}

install_files() {
  install -d -m 0700 -o root -g root /etc/wcp360
  put 644 "$here/systemd/wcp360.pam" /etc/pam.d/wcp360
  put 644 "$here/systemd/wcp360-ssh.pam" /etc/pam.d/wcp360-ssh
  put 644 "$here/systemd/wcp360-namespace.conf" "$namespace_conf"
  put 644 "$here/systemd/wcp360.logrotate" /etc/logrotate.d/wcp360
  local unit
  for unit in "${units[@]}"; do put 644 "$here/systemd/$unit" "/etc/systemd/system/$unit"; done
  put 644 "$here/systemd/wcp360-nginx.conf" "$nginx_drop_in"
  if ! has_systemd; then put 755 "$here/systemd/wcpd.init" /etc/init.d/wcpd; fi
  install -d -m 0755 /etc/bash_completion.d
  /usr/local/bin/wcp completion bash >/run/wcp360-completion
  put 644 /run/wcp360-completion /etc/bash_completion.d/wcp
  rm -f /run/wcp360-completion
}

# The one file by which sshd knows tenants. It is not there where sshd does not take it, or would not start with it.
open_ssh() {
  [ -x /usr/sbin/sshd ] && has_systemd || return 0
  if cmp -s "$here/systemd/wcp360-sshd.conf" "$sshd_door"; then return; fi
  install -d -m 0755 /run/sshd
  { cat /etc/ssh/sshd_config && echo && cat "$here/systemd/wcp360-sshd.conf"; } >/run/wcp360-sshd-check
  if ! /usr/sbin/sshd -t -f /run/wcp360-sshd-check; then
    rm -f /run/wcp360-sshd-check
    return 0
  fi
  rm -f /run/wcp360-sshd-check
  install -d -m 0755 "$(dirname "$sshd_door")"
  install -m 0644 -o root -g root -- "$here/systemd/wcp360-sshd.conf" "$sshd_door.new"
  sync -- "$sshd_door.new"
  mv -f -- "$sshd_door.new" "$sshd_door"
  if ! /usr/sbin/sshd -t; then
    rm -f "$sshd_door"
    return 0
  fi
  reload_ssh
}

ssh_has_both() {
  [ "$(systemctl is-active ssh.socket 2>/dev/null || true)" = active ] &&
    [ "$(systemctl is-active ssh.service 2>/dev/null || true)" = active ]
}

# Below a socket each connection reads it anew; with both a reload would end sshd. Sessions that are open go on.
reload_ssh() {
  if ! ssh_has_both; then systemctl try-reload-or-restart ssh.service || true; fi
}

# Customers' accounts are records in /etc/userdb, which the module "systemd" of nsswitch reads.
join_nsswitch() {
  local new
  new=$(awk '/^(passwd|group):/ && !/ systemd( |$)/ { print $0 " systemd"; next } { print }' /etc/nsswitch.conf)
  [ "$new" = "$(cat /etc/nsswitch.conf)" ] && return
  printf '%s\n' "$new" >/etc/nsswitch.conf.new
  chmod 0644 /etc/nsswitch.conf.new
  sync -- /etc/nsswitch.conf.new
  mv -f /etc/nsswitch.conf.new /etc/nsswitch.conf
}

# Whether a configuration file is as its package brought it.
is_untouched() {
  local recorded
  recorded=$(dpkg-query -W -f='${Conffiles}\n' "$2" 2>/dev/null | awk -v file="$1" '$1 == file { print $2 }')
  [ -n "$recorded" ] && [ "$(md5sum <"$1" | cut -d' ' -f1)" = "$recorded" ]
}

# Debian's own default site claims to be the default server, which only one site may be.
retire_default_site() {
  local link=/etc/nginx/sites-enabled/default file=/etc/nginx/sites-available/default
  [ -L "$link" ] || return 0
  if [ "$(readlink -f "$link")" = "$file" ] && is_untouched "$file" nginx-common; then
    rm -f "$link"
    install -d -m 0755 "$(dirname "$stamp")"
    touch "$stamp"
  fi
}

# The distribution's own PHP-FPM master has no work: each customer has one of his own.
retire_php_masters() {
  has_systemd || return 0
  local directory version others
  for directory in /etc/php/*/fpm/pool.d; do
    [ -d "$directory" ] || continue
    version=$(basename "$(dirname "$(dirname "$directory")")")
    systemctl is-enabled --quiet "php$version-fpm.service" || continue
    others=$(find "$directory" -name '*.conf' ! -name www.conf | head -n 1)
    if [ -z "$others" ] && is_untouched "$directory/www.conf" "php$version-fpm"; then
      install -d -m 0755 "$(dirname "$php_stamps")" "$php_stamps"
      touch "$php_stamps/$version"
      systemctl disable --now "php$version-fpm.service"
    fi
  done
}

# It may have run before its drop-in was there. Its workers are in the master's process group. Some containers may not.
put_nginx_first() {
  local master
  master=$(systemctl show --property=MainPID --value nginx.service)
  if [ "$master" -gt 0 ]; then renice -n -10 -g "$master" || true; fi
}

start_units() {
  systemctl daemon-reload
  systemctl enable nginx.service wcpd.service wcpd-web-log.socket
  systemctl start wcpd-web-log.socket
  systemctl start nginx.service
  put_nginx_first
  if [ -e "$restart_due" ]; then systemctl restart wcpd.service; fi
  systemctl start wcpd.service wcpd-panel.service wcpd-waker.service wcpd-web-log.service
  rm -f "$restart_due"
}

start_supervised() {
  if command -v update-rc.d >/dev/null; then update-rc.d wcpd defaults; fi
  if [ -e "$restart_due" ]; then /etc/init.d/wcpd stop; fi
  /etc/init.d/wcpd start
  rm -f "$restart_due"
}

wait_for_panel() {
  local tries
  for ((tries = 0; tries < 90; tries++)); do
    if wcp status; then return; fi
    sleep 1
  done
  say 'The panel does not answer; "wcp logs" tells why.'
  return 1
}

# ---- the end ----------------------------------------------------------------------------------------------------------

say_notes() {
  if [ -L /etc/nginx/sites-enabled/default ]; then
    note 'your own /etc/nginx/sites-enabled/default stays; if it is a default_server, take that word away'
  fi
  if has_systemd && [ -x /usr/sbin/sshd ] && [ ! -e "$sshd_door" ]; then
    note 'customers get no SFTP and SSH here: sshd does not take its part of the configuration (OpenSSH 9.8 or newer does)'
  fi
  if has_systemd && ssh_has_both; then
    note 'ssh.socket and ssh.service both run; a "reload ssh" would end sshd: systemctl disable --now ssh.socket && systemctl restart ssh'
  fi
  if has_systemd && [ "$(systemctl is-active mariadb.socket 2>/dev/null || true)" = active ]; then
    note 'mariadb.socket offers port 3306 to everybody: systemctl disable --now mariadb.socket mariadb-extra.socket'
  fi
  if ! has_systemd; then
    note 'systemd does not run here: limits of customers are not enforced ("wcp doctor" lists what is missing)'
    note 'where nothing starts services at boot, run "service wcpd start" then'
  fi
}

# Where setup is done: with a one-time code while it is not done, else the panel itself.
setup_path() {
  local path
  path=$(wcp setup open --json 2>/dev/null | sed -n 's/.*"path": *"\([^"]*\)".*/\1/p') || true
  printf '%s' "${path:-/}"
}

say_what_next() {
  local port name address password path
  path=$(setup_path)
  port=$(config_port listen 8360)
  name=$(hostname -f 2>/dev/null || hostname)
  address=$(hostname -I 2>/dev/null | awk '{ print $1 }')
  say ''
  say "WCP360 $("$program" --version) runs."
  say ''
  [ -n "$address" ] && say "  Panel:        https://$address:$port$path"
  say "                https://$name:$port$path   (where that name leads here)"
  say "  Certificate:  $(openssl x509 -noout -fingerprint -sha256 -in /etc/wcp360/ssl/panel.crt | cut -d= -f2)"
  say '                It signs itself, so the browser will ask; compare the fingerprint.'
  say ''
  password=$(passwd -S root 2>/dev/null | cut -d' ' -f2)
  if [ "$path" = / ]; then
    say '  Next:         open the address, and sign in.'
    say '  Later:        "wcp" shows what can be done, "wcp doctor" whether all is well.'
    return
  fi
  if [ "$password" != P ]; then
    say '  Next:         give root a password for the first sign-in: sudo passwd root'
    say '                Then open the address, sign in as root, and make the first administrator.'
  else
    say "  Next:         open the address, sign in as root with root's password, and make the first administrator."
  fi
  say "                The address works once, for 24 hours (\"wcp setup open\" prints a new one)."
  say "                After that root's sign-in is closed for good."
  say '  Later:        "wcp" shows what can be done, "wcp doctor" whether all is well.'
}

install_all() {
  local kind=source executable=$here/dist/wcpd
  if [ -n "$prebuilt" ]; then kind=prebuilt executable=$prebuilt; fi
  [ "$kind" = source ] || [ -f "$prebuilt" ] || die "there is no file \"$prebuilt\""
  check_preconditions "$kind"
  steps_total=9
  [ "$kind" = source ] && steps_total=10

  local packages
  mapfile -t packages < <(packages_wanted)
  step 'System packages (1 to 3 minutes the first time)' install_packages "${packages[@]}"
  if [ "$kind" = source ]; then step 'Node, npm packages and the executable (some minutes the first time)' build; fi
  step 'Accounts' make_accounts
  step 'Executable' install_program "$executable"
  step 'Services, PAM, log rotation, completion' install_files
  step 'Name service' join_nsswitch
  step 'SSH for customers' open_ssh
  step 'Room for the web server' retire_defaults
  step 'Start' start_all
  step 'Wait until the panel answers (some seconds, 90 at most)' wait_for_panel
  say_notes
  say_what_next
}

retire_defaults() {
  retire_default_site
  retire_php_masters
}

start_all() { if has_systemd; then start_units; else start_supervised; fi; }

# ---- applications for customers ---------------------------------------------------------------------------------------

readonly applications=/var/lib/wcp360-web/applications

# Not "grep -q", which would end before it has read everything: the one that writes to it would fail.
is_wp_cli() { head -c 4096 -- "$1" | grep -aF "include 'phar://wp-cli.phar/" >/dev/null; }
is_wordpress() { tar -xzOf "$1" wordpress/wp-includes/version.php 2>/dev/null | grep '^[$]wp_version = ' >/dev/null; }

# bring CHECK FILE NAME: whole or not at all; a tenant that reads the former one goes on with it.
bring() {
  [ -f "$2" ] || die "there is no file \"$2\""
  "$1" "$2" || die "\"$2\" is no $3 -> fetch it again, and compare its checksum"
  install -d -m 0755 -o root -g root "$applications"
  install -m 0644 -o root -g root -- "$2" "$applications/$3.new"
  sync -- "$applications/$3.new"
  mv -f -- "$applications/$3.new" "$applications/$3"
  say "$applications/$3: sha512 $(sha512sum -- "$applications/$3" | cut -d' ' -f1)"
}

bring_applications() {
  [ -x "$program" ] || die 'WCP360 is not installed -> ./install.sh first'
  [ -z "$wp_cli" ] || bring is_wp_cli "$wp_cli" wp-cli.phar
  [ -z "$wordpress" ] || bring is_wordpress "$wordpress" wordpress.tar.gz
}

# ---- taking it away ---------------------------------------------------------------------------------------------------

stop_all() {
  if has_systemd; then
    systemctl disable --now wcpd.service wcpd-panel.service wcpd-panel.socket wcpd-waker.service \
      wcpd-web-log.socket wcpd-web-log.service || true
    # the slice holds the services, not the sockets that would start them again
    systemctl stop 'wcp-fpm-*.socket' 'wcp-fpm-*.service' wcp.slice || true
  else
    if [ -x /etc/init.d/wcpd ]; then /etc/init.d/wcpd stop; fi
    if command -v update-rc.d >/dev/null; then update-rc.d wcpd remove || true; fi
    stop_customers_php
  fi
}

# Without systemd each master left a record with its process id.
stop_customers_php() {
  local record pid
  for record in /run/wcp360/fpm/.*.json; do
    [ -f "$record" ] || continue
    pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$record")
    if [ -n "$pid" ]; then kill -TERM -- "-$pid" 2>/dev/null || true; fi
  done
}

remove_program() {
  local unit
  for unit in "${units[@]}"; do rm -f "/etc/systemd/system/$unit"; done
  rm -f "$nginx_drop_in"
  rmdir "$(dirname "$nginx_drop_in")" 2>/dev/null || true
  rm -rf /run/systemd/system/wcpd-panel.socket.d /run/systemd/system.control/wcp{,-*}.slice.d /opt/wcp360 /run/wcp360
  rm -f /usr/local/bin/wcp /etc/init.d/wcpd /etc/bash_completion.d/wcp /etc/pam.d/wcp360 /etc/logrotate.d/wcp360
  rm -f /etc/nginx/conf.d/wcp360.conf "$restart_due"
  close_ssh
  if command -v nft >/dev/null; then nft delete table inet wcp360 2>/dev/null || true; fi
  # the account goes with the data, and nginx does not start as one that is not there
  if grep -qs 'user wcp360-web;' /etc/nginx/nginx.conf; then
    sed -i.wcp360 -e 's/\buser wcp360-web;/user www-data;/' -e '/^worker_rlimit_nofile 65536;$/d' \
      -e 's/\bworker_connections 16384;/worker_connections 768;/' \
      -e '/^map_hash_bucket_size 1024;$/d' -e '/^map_hash_max_size 65536;$/d' \
      -e '/^variables_hash_max_size 4096;$/d' /etc/nginx/nginx.conf
    rm -f /etc/nginx/nginx.conf.wcp360
  fi
  dpkg-query -S /etc/bash_completion.d >/dev/null 2>&1 || rmdir /etc/bash_completion.d 2>/dev/null || true
  if [ -e "$stamp" ] && [ -f /etc/nginx/sites-available/default ]; then
    ln -sfn /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
    rm -f "$stamp"
  fi
  if has_systemd; then
    systemctl daemon-reload
    give_back_php_masters
    systemctl try-reload-or-restart nginx.service || true
  elif [ -s /run/nginx.pid ]; then
    kill -HUP "$(cat /run/nginx.pid)" 2>/dev/null || true
  fi
}

close_ssh() {
  rm -f /etc/pam.d/wcp360-ssh "$namespace_conf"
  dpkg-query -S /etc/security/namespace.d >/dev/null 2>&1 || rmdir /etc/security/namespace.d 2>/dev/null || true
  [ -e "$sshd_door" ] || return 0
  rm -f "$sshd_door"
  if has_systemd; then reload_ssh; fi
}

give_back_php_masters() {
  local record
  for record in "$php_stamps"/*; do
    [ -e "$record" ] || continue
    systemctl enable --now "php$(basename "$record")-fpm.service" || true
    rm -f -- "$record"
  done
}

# Customers are those the panel's web tree names; nothing else below /srv/www is touched.
remove_data() {
  local directory name link
  for directory in /var/lib/wcp360-web/tenants/*/; do
    [ -d "$directory" ] || continue
    name=$(basename "$directory")
    [[ "$name" =~ ^[a-z][a-z0-9]{2,23}$ ]] || continue
    rm -rf --one-file-system -- "/srv/www/$name"
    for link in /etc/userdb/*; do
      case "$(readlink "$link" || true)" in
        "$name.user" | "$name.user-privileged" | "$name.group") rm -f -- "$link" ;;
      esac
    done
    rm -f -- "/etc/userdb/$name.user" "/etc/userdb/$name.user-privileged" "/etc/userdb/$name.group" \
      "/etc/userdb/$name:wcp360-tenants.membership"
  done
  rm -rf --one-file-system -- /srv/www/.trash
  rmdir /srv/www /etc/userdb 2>/dev/null || true
  chattr -a /var/log/wcp360/audit.log* 2>/dev/null || true
  rm -rf --one-file-system -- /etc/wcp360 /var/lib/wcp360 /var/lib/wcp360-agent /var/lib/wcp360-web /var/log/wcp360
  rm -f /etc/default/wcp360
  local account
  for account in wcp360 wcp360-waker wcp360-log wcp360-web; do
    if getent passwd "$account" >/dev/null; then userdel -- "$account"; fi
  done
  if getent group wcp360-tenants >/dev/null; then groupdel -- wcp360-tenants; fi
}

uninstall() {
  steps_total=2
  step 'Stop' stop_all
  step 'Remove the program' remove_program
  say 'WCP360 is removed. Data stays: /etc/wcp360, /var/lib/wcp360*, /srv/www, /etc/userdb, /var/log/wcp360.'
}

purge() {
  if [ "$yes" != yes ]; then
    say "This deletes the panel, all customers' sites below /srv/www, their accounts and all settings. It cannot be undone."
    local answer=''
    read -r -p 'Type "delete everything" to go on: ' answer || true
    [ "$answer" = 'delete everything' ] || die 'nothing was deleted'
  fi
  steps_total=3
  step 'Stop' stop_all
  step 'Remove the program' remove_program
  step 'Remove all data' remove_data
  rm -f "$log"
  say 'WCP360 and all its data are removed. Packages of the system stay.'
}

# ---- what was asked for -----------------------------------------------------------------------------------------------

action=install_all prebuilt='' wp_cli='' wordpress='' yes=no
while [ $# -gt 0 ]; do
  case $1 in
    --prebuilt)
      [ $# -ge 2 ] || die '--prebuilt needs a file'
      prebuilt=$(readlink -f -- "$2") || die "there is no file \"$2\""
      shift
      ;;
    --wp-cli | --wordpress)
      [ $# -ge 2 ] || die "$1 needs a file"
      action=bring_applications
      if [ "$1" = --wp-cli ]; then wp_cli=$2; else wordpress=$2; fi
      shift
      ;;
    --uninstall) action=uninstall ;;
    --purge) action=purge ;;
    --yes) yes=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

[ "$EUID" -eq 0 ] || die 'this must run as root -> sudo ./install.sh'
exec 9>/run/wcp360-install.lock
flock -n 9 || die 'another install.sh is at work -> wait until it has ended'
"$action"
