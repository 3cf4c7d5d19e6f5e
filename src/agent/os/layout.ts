/**
 * Every place on the machine that the root side knows, in one table.
 *
 * `root` is `/` on a server; tests lay the same tree below a directory of their own. Nothing outside this file spells
 * such a path, and nothing from the panel or a tenant becomes a part of one except through `TenantName` and `Fqdn`.
 */
import { join } from 'node:path'
import type { Fqdn, Id, TenantName } from '../../contract/values.ts'
import { type FpmPool, suffixOf } from './fpm-pool.ts'

/** Of the installer's making; `systemd/wcp360-sshd.conf` names it. */
const tenantsGroup = 'wcp360-tenants'

export type Layout = ReturnType<typeof layout>

/** @param root absolute path that stands for `/`. */
export function layout(root = '/') {
  const at = (...parts: string[]) => join(root, ...parts)
  const web = at('var/lib/wcp360-web')
  const customers = at('srv/www')
  const run = at('run/wcp360')
  return {
    root,
    executable: at('opt/wcp360/bin/wcpd'),
    /** What the installer puts in place, by its name in `systemd/`; units that are not here lie in the first of `units`. */
    installed: {
      'wcpd-supervise': at('opt/wcp360/bin/wcpd-supervise'),
      'wcpd-session': at('opt/wcp360/bin/wcpd-session'),
      'wcp360-ssh.pam': at('etc/pam.d/wcp360-ssh'),
      'wcp360-namespace.conf': at('etc/security/namespace.d/wcp360.conf'),
      'wcp360.pam': at('etc/pam.d/wcp360'),
      'wcp360.logrotate': at('etc/logrotate.d/wcp360'),
      'wcp360-nginx.conf': at('etc/systemd/system/nginx.service.d/wcp360.conf'),
      'wcpd.init': at('etc/init.d/wcpd'),
    },
    /** Leads to the executable. */
    command: at('usr/local/bin/wcp'),
    /** Where others may put settings beside a unit, in `<unit>.d`. */
    unitSettings: [at('etc/systemd/system'), at('etc/systemd/system.control'), at('usr/lib/systemd/system')],
    /** There while the unit is started at boot. */
    enabledUnits: [
      at('etc/systemd/system/multi-user.target.wants/wcpd.service'),
      at('etc/systemd/system/sockets.target.wants/wcpd-web-log.socket'),
    ],
    /** There while systemd is PID 1 (sd_booted(3)). */
    systemdRun: at('run/systemd/system'),
    /** root 0700: configuration, keys, certificates. */
    config: at('etc/wcp360/config.yaml'),
    ssl: at('etc/wcp360/ssl'),
    secrets: at('etc/wcp360/secrets'),
    /** 32 random bytes in hexadecimal, from which the panel derives its keys. */
    panelKey: at('etc/wcp360/secrets/panel.key'),
    /** Signs what certification authorities are asked; made when the first one is. */
    acmeKey: at('etc/wcp360/secrets/acme.key'),
    /** 32 random bytes, from which passwords and salts of applications are derived. */
    applicationsKey: at('etc/wcp360/secrets/applications.key'),
    /** 32 random bytes: the key of the root side's audit log. */
    auditKey: at('etc/wcp360/secrets/audit.key'),
    panelCertificate: at('etc/wcp360/ssl/panel.crt'),
    panelTlsKey: at('etc/wcp360/ssl/panel.key'),
    /** wcp360 0700: the panel's own state. */
    panelState: at('var/lib/wcp360'),
    /** root 0700: registry, journal, fencing tokens. */
    agentState: at('var/lib/wcp360-agent'),
    agentDatabase: at('var/lib/wcp360-agent/agent.db'),
    /** root 0700: what root has approved above the budgets of an hour. */
    approvals: at('var/lib/wcp360-agent/approvals'),
    /** root 0700: of each file outside of tenants that is wholly ours, the SHA-256 of the text it was given last. */
    written: at('var/lib/wcp360-agent/written'),
    /** root 0700: texts of such files that somebody else had changed and that were put back. */
    replaced: at('var/lib/wcp360-agent/replaced'),
    /** root 0700: texts of such files that an operator has adopted. */
    adopted: at('var/lib/wcp360-agent/adopted'),
    setupWord: at('var/lib/wcp360-agent/setup.json'),
    /** root 0700: what tenants' commands printed and how they ended, by tenant and run. */
    runs: at('var/lib/wcp360-agent/runs'),
    tenantRuns: (tenant: TenantName) => at('var/lib/wcp360-agent/runs', tenant),
    tenantRun: (tenant: TenantName, run: Id) => at('var/lib/wcp360-agent/runs', tenant, run),
    logs: at('var/log/wcp360'),
    /** The root side's audit log, root 0600; older files of it bear the number of their first line. */
    auditLog: at('var/log/wcp360/audit.log'),
    /** Where that log ends. */
    auditHead: at('var/lib/wcp360-agent/audit.head'),
    userdb: at('etc/userdb'),
    /** Makes a tenant a member of the group by which sshd knows tenants. */
    sshMembership: (tenant: TenantName) => at('etc/userdb', `${tenant}:${tenantsGroup}.membership`),
    /** Where systemd units lie; a tenant is not given the name of one (C14). */
    units: [at('etc/systemd/system'), at('usr/lib/systemd/system'), at('run/systemd/system')],
    /** Setup was closed; also told by the registry, and remembered here when that is lost or restored. */
    setupClosed: at('etc/wcp360/secrets/setup-closed'),
    /** Control groups of the kernel, version 2. */
    cgroups: at('sys/fs/cgroup'),
    nginxSite: at('etc/nginx/conf.d/wcp360.conf'),
    nginxConfig: at('etc/nginx/nginx.conf'),
    nginxPid: at('run/nginx.pid'),
    /** wcp360-log:wcp360 2750: where the writer of the web server's logs puts them; neither root nor nginx opens a file here (C06). */
    webLogs: at('var/log/wcp360/web'),
    /** One JSON object per request of any site, told apart by `host`. */
    accessLog: at('var/log/wcp360/web/access.log'),
    webErrorLog: at('var/log/wcp360/web/error.log'),
    /** What that writer has counted of each tenant; data of an unprivileged process. */
    trafficCounters: at('var/log/wcp360/web/traffic.json'),

    run,
    /** wcp360 0700: who can enter it is the panel or root, that is the authentication (threats B1). */
    panelRun: join(run, 'panel'),
    agentSocket: join(run, 'panel/agent.sock'),
    cliSocket: join(run, 'panel/cli.sock'),
    /** The agent dials it for each file worker, and hands the connection on. */
    filesSocket: join(run, 'panel/files.sock'),
    /** Where systemd is not PID 1: what LoadCredential= would give the panel, root:wcp360 0750. */
    credentials: join(run, 'credentials'),
    panelCredentials: join(run, 'credentials/panel'),
    /** wcp360-waker 0700: the agent dials `agent.sock`. */
    wakerRun: join(run, 'waker'),
    wakerAgentSocket: join(run, 'waker/agent.sock'),
    /** wcp360-waker:wcp360-web 0710: the web server's workers, and nobody else, reach `wake.sock`. */
    wakeRun: join(run, 'wake'),
    wakeSocket: join(run, 'wake/wake.sock'),
    /** root 0755: sockets of datagrams, 0620 root:wcp360-web, that the web server's workers send the lines of its logs to. */
    webLogRun: join(run, 'web-log'),
    webLogSockets: {
      access: join(run, 'web-log/access.sock'),
      error: join(run, 'web-log/error.sock'),
      php: join(run, 'web-log/php.sock'),
    },

    /**
     * The routing table of the web server, root-owned 0711/0755 and public to its workers:
     * `hosts/<fqdn>` → `../tenants/<tenant>/sites/<fqdn>`, which holds `docroot` and `php.sock` (links);
     * `tenants/<tenant>/live` exists while the tenant is not suspended. The site's directory also holds `tls` (a link to a
     * directory with `certificateFile` and `keyFile`) and `live`, a link to `../../live` that is there while the domain is
     * not suspended: `hosts/<name>/live` is a file exactly while tenant and domain are both live.
     * `sites/<alias>` → `<fqdn>`: what PHP sees at the place of `hosts` are its own `sites`, so both hold every name.
     * The docroot's ancestors must be root-owned: nginx checks links from the docroot on, not above it (C05).
     */
    web: {
      root: web,
      hosts: join(web, 'hosts'),
      host: (name: Fqdn) => join(web, 'hosts', name),
      tenant: (tenant: TenantName) => join(web, 'tenants', tenant),
      live: (tenant: TenantName) => join(web, 'tenants', tenant, 'live'),
      fpmConfig: (tenant: TenantName) => join(web, 'tenants', tenant, 'php-fpm.conf'),
      tenants: join(web, 'tenants'),
      /** What is chosen for PHP of single sites, root 0750 with the tenant's group; among its sites, where its PHP sees it. */
      phpOptions: (tenant: TenantName) => join(web, 'tenants', tenant, 'sites/.php'),
      phpOptionsOf: (tenant: TenantName, site: Id) => join(web, 'tenants', tenant, 'sites/.php', `${site}.ini`),
      /** The tenant's SSH keys, root 0640 with its group: sshd reads them as the tenant. */
      authorizedKeys: (tenant: TenantName) => join(web, 'tenants', tenant, 'authorized_keys'),
      /** Text that was adopted in place of ours, root 0600. */
      fpmAdopted: (tenant: TenantName) => join(web, 'tenants', tenant, 'php-fpm.adopted.json'),
      /** Limits that were applied last, root 0600. */
      limits: (tenant: TenantName) => join(web, 'tenants', tenant, 'limits.json'),
      /** root 0755: holds `php`, which leads to that version; first in the PATH of a tenant's commands. */
      php: (version: string) => join(web, 'php', version),
      /** Root-owned 0755: what an administrator has put there for every tenant to read. */
      applications: join(web, 'applications'),
      wpCli: join(web, 'applications', 'wp-cli.phar'),
      wordpress: join(web, 'applications', 'wordpress.tar.gz'),
      sites: (tenant: TenantName) => join(web, 'tenants', tenant, 'sites'),
      /** Names and verifiers of those who get into the site's protected directories, root:wcp360-web 0640. */
      users: (tenant: TenantName, name: Fqdn) => join(web, 'tenants', tenant, 'sites', name, 'users'),
      site: (tenant: TenantName, name: Fqdn) => join(web, 'tenants', tenant, 'sites', name),
      /** root 0700: what belongs to deleted tenants and sites, by their id. */
      trash: join(web, '.trash'),
      pages: join(web, 'pages'),
      /** root 0700: rows of sites' settings, a directory for each map of the web server and in it a file for each site. */
      settings: join(web, 'settings'),
      rows: (map: string, name: Fqdn) => join(web, 'settings', map, `${name}.rows`),
      /** There from before rows of a site change until the web server has read them. */
      owedRows: join(web, 'settings/owed'),
      rowsOwed: (name: Fqdn) => join(web, 'settings/owed', name),
      /** Root-owned 0711: a file per proof that a certification authority has asked for, named as its token. */
      challenges: join(web, 'challenges'),
      tls: join(web, 'tls'),
      /** Certificate and key for names without one of their own; key 0640 root:wcp360-web. */
      defaultTls: join(web, 'tls/default'),
      /** In a site's directory: the key that was made for it, root:wcp360-web 0640, and the chain for that key. */
      ownTls: 'own-tls',
      certificateFile: 'fullchain.pem',
      keyFile: 'privkey.pem',
    },

    /** The customers' trees: `<tenant>` is root-owned so that nothing in it can be swapped under root's feet (B8). */
    customers: {
      root: customers,
      tenant: (tenant: TenantName) => join(customers, tenant),
      home: (tenant: TenantName) => join(customers, tenant, 'home'),
      /** The tenant's `/tmp`, 0700: on its own quota, and PHP sessions outlive an idle stop. */
      tmp: (tenant: TenantName) => join(customers, tenant, 'tmp'),
      sites: (tenant: TenantName) => join(customers, tenant, 'sites'),
      site: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name),
      /** The tenant's own: what people deleted of a site's files. */
      fileTrash: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'home/.wcp-trash', name),
      docroot: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name, 'public'),
      /** The tenant's own 0700: sessions of PHP, where the site keeps its own. */
      sessions: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name, 'sessions'),
      /** Where the next document root of a site is filled; in it everything is the tenant's. */
      freshDocroot: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name, '.new-public'),
      /** The document root before the installation with that id; it holds what nobody needs, and is there once that has taken its place. */
      formerDocroot: (tenant: TenantName, name: Fqdn, id: Id) =>
        join(customers, tenant, 'sites', name, `.former-${id}`),
      /** root 0700, on the same file system as the sites so that moving there is one rename. */
      trash: join(customers, '.trash'),
    },

    /** Where database servers listen, as the distribution has it. */
    mariadbSocket: at('run/mysqld/mysqld.sock'),
    postgresqlSocket: at('run/postgresql/.s.PGSQL.5432'),

    /** Root-owned 0755; one socket `<tenant>.sock` (0760 root:wcp360-web) while the tenant's PHP is awake, and
     * `<tenant>-<version>.sock` for a version apart. */
    fpmRun: join(run, 'fpm'),
    fpmSocket: (pool: FpmPool) => join(run, 'fpm', `${pool}.sock`),
    /** Where that socket is while PHP starts or stops: it listens, and the web server does not see it. */
    fpmHiddenSocket: (pool: FpmPool) => join(run, 'fpm', `.${pool}.sock`),
    /** Where it is bound: everybody reads this path in /proc/net/unix as long as the socket lives, so it names nobody. */
    fpmBoundSocket: (uid: number, pool: FpmPool | null = null) =>
      join(run, 'fpm', `.${uid}${pool === null ? '' : suffixOf(pool)}.sock`),
    /** The direct supervision's record of a master, which survives a restart of the agent. */
    fpmRecord: (pool: FpmPool) => join(run, 'fpm', `.${pool}.json`),
    /** There while the tenant's quota is raised because its PHP wakes. */
    fpmBurst: (tenant: TenantName) => join(run, 'fpm', `.${tenant}.burst`),
    /** The tenant's own /etc/passwd and /etc/group: itself and root (C29). */
    fpmPasswd: (tenant: TenantName) => join(run, 'fpm', `.${tenant}.passwd`),
    fpmGroup: (tenant: TenantName) => join(run, 'fpm', `.${tenant}.group`),
    /** root 0700: pipes and last words of the commands of tenants that run now, by the run's name. */
    runsRun: join(run, 'runs'),
    /** root 0755 and empty: in the mount namespace of an SSH session, what `wcpd-session` makes of it. */
    sessionRun: join(run, 'session'),
    /** root 0700: a record of each SSH session, by its id. */
    sessionsRun: join(run, 'sessions'),
    tenantLogsRoot: at('var/log/wcp360/tenants'),
    tenantLogs: (tenant: TenantName) => at('var/log/wcp360/tenants', tenant),
  } as const
}
