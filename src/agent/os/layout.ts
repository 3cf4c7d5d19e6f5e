/**
 * Every place on the machine that the root side knows, in one table.
 *
 * `root` is `/` on a server; tests lay the same tree below a directory of their own. Nothing outside this file spells
 * such a path, and nothing from the panel or a tenant becomes a part of one except through `TenantName` and `Fqdn`.
 */
import { join } from 'node:path'
import type { Fqdn, TenantName } from '../../contract/values.ts'

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
    /** root 0700: configuration, keys, certificates. */
    config: at('etc/wcp360/config.yaml'),
    ssl: at('etc/wcp360/ssl'),
    secrets: at('etc/wcp360/secrets'),
    /** wcp360 0700: the panel's own state. */
    panelState: at('var/lib/wcp360'),
    /** root 0700: registry, journal, fencing tokens. */
    agentState: at('var/lib/wcp360-agent'),
    agentDatabase: at('var/lib/wcp360-agent/agent.db'),
    logs: at('var/log/wcp360'),
    auditLog: at('var/log/wcp360/audit.log'),
    userdb: at('etc/userdb'),
    nginxSite: at('etc/nginx/conf.d/wcp360.conf'),

    run,
    /** wcp360 0700: who can enter it is the panel or root, that is the authentication (threats B1). */
    panelRun: join(run, 'panel'),
    agentSocket: join(run, 'panel/agent.sock'),
    cliSocket: join(run, 'panel/cli.sock'),
    /** wcp360-waker 0700: the agent dials `agent.sock`. */
    wakerRun: join(run, 'waker'),
    wakerAgentSocket: join(run, 'waker/agent.sock'),
    /** wcp360-waker:www-data 0710: the web server's workers, and nobody else, reach `wake.sock`. */
    wakeRun: join(run, 'wake'),
    wakeSocket: join(run, 'wake/wake.sock'),

    /**
     * The routing table of the web server, root-owned 0711/0755 and public to its workers:
     * `hosts/<fqdn>` → `../tenants/<tenant>/sites/<fqdn>`, which holds `docroot` and `php.sock` (links);
     * `tenants/<tenant>/live` exists while the tenant is not suspended: one file is the whole suspension.
     */
    web: {
      root: web,
      hosts: join(web, 'hosts'),
      host: (name: Fqdn) => join(web, 'hosts', name),
      tenant: (tenant: TenantName) => join(web, 'tenants', tenant),
      live: (tenant: TenantName) => join(web, 'tenants', tenant, 'live'),
      fpmConfig: (tenant: TenantName) => join(web, 'tenants', tenant, 'php-fpm.conf'),
      sites: (tenant: TenantName) => join(web, 'tenants', tenant, 'sites'),
      site: (tenant: TenantName, name: Fqdn) => join(web, 'tenants', tenant, 'sites', name),
      pages: join(web, 'pages'),
      /** Certificate and key for names without one of their own; key 0640 root:www-data. */
      defaultTls: join(web, 'tls/default'),
    },

    /** The customers' trees: `<tenant>` is root-owned so that nothing in it can be swapped under root's feet (B8). */
    customers: {
      root: customers,
      tenant: (tenant: TenantName) => join(customers, tenant),
      home: (tenant: TenantName) => join(customers, tenant, 'home'),
      sites: (tenant: TenantName) => join(customers, tenant, 'sites'),
      site: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name),
      docroot: (tenant: TenantName, name: Fqdn) => join(customers, tenant, 'sites', name, 'public'),
      /** root 0700, on the same file system as the sites so that moving there is one rename. */
      trash: join(customers, '.trash'),
    },

    /** Root-owned 0755; one socket `<tenant>.sock` (0660 root:www-data) while the tenant's PHP is awake. */
    fpmRun: join(run, 'fpm'),
    fpmSocket: (tenant: TenantName) => join(run, 'fpm', `${tenant}.sock`),
    tenantLogs: (tenant: TenantName) => at('var/log/wcp360/tenants', tenant),
  } as const
}
