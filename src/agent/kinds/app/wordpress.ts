/** WordPress by WP-CLI: the words of its commands, and its configuration. Root runs none of it and reads nothing of it. */
import { createHash, createHmac } from 'node:crypto'
import type { DatabaseName } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import { TenantCommand } from '../../../contract/tenant-command.ts'
import type { Fqdn, Id } from '../../../contract/values.ts'
import type { Layout } from '../../os/layout.ts'
import type { Machine } from '../../os/machine.ts'
import { readyPage } from '../domain/ready-page.ts'

/** Refuses with the remedy while the administrator has not put there what it takes. */
export function mustHaveWordpress(
  { files, places: { web } }: Machine,
  parts: readonly ('wpCli' | 'wordpress')[],
): void {
  const missing = parts.find((part) => !files.existsNow(web[part]))
  if (missing === undefined) return
  throw new WcpError('unavailable', `Cannot manage WordPress: this server has no "${web[missing]}"`, {
    help: 'As root, run "./install.sh --wp-cli FILE --wordpress FILE" with wp-cli.phar and a release of WordPress as .tar.gz.',
  })
}

/** Of the site's own processes, in its document root. Nothing is asked, and nothing but an error is said. */
export function wpCli({ web }: Layout, ...words: readonly string[]): TenantCommand {
  return TenantCommand.parse(['php', web.wpCli, '--quiet', '--no-color', ...words])
}

/** Ends well in a directory that is empty, or holds the first page of a new site alone. */
export function lookCommand(fqdn: Fqdn): TenantCommand {
  const hash = createHash('sha256').update(readyPage(fqdn)).digest('hex')
  const code = [
    '$n = array_diff(scandir("."), [".", ".."]);',
    `if (in_array("index.html", $n) && hash_file("sha256", "index.html") === "${hash}") $n = array_diff($n, ["index.html"]);`,
    'if (!$n) exit(0); echo reset($n), "\\n"; exit(3);',
  ]
  return TenantCommand.parse(['php', '-r', code.join(' ')])
}

/** What is there already stays: the configuration. */
export function unpackCommand({ web }: Layout): TenantCommand {
  const how = ['--extract', '--gzip', '--strip-components=1', '--no-same-owner', '--skip-old-files']
  return TenantCommand.parse(['/usr/bin/tar', ...how, `--file=${web.wordpress}`])
}

export type FirstUser = {
  readonly title: string
  readonly adminUser: string
  readonly adminEmail: string
}

/** WordPress makes the password by itself and tells nobody. */
export function setUpCommand(places: Layout, fqdn: Fqdn, { title, adminUser, adminEmail }: FirstUser): TenantCommand {
  return wpCli(
    places,
    ...['core', 'install', `--url=https://${fqdn}`, '--skip-email', `--title=${title}`],
    ...[`--admin_user=${adminUser}`, `--admin_email=${adminEmail}`],
  )
}

export function permalinksCommand(places: Layout): TenantCommand {
  return wpCli(places, 'rewrite', 'structure', '/%postname%/')
}

/** Prints the address at which that user sets a password, once. The name has no sign that ends a text of PHP. */
export function resetLinkCommand(places: Layout, user: string): TenantCommand {
  const code = [
    `$user = get_user_by('login', '${user}');`,
    "if (!$user) WP_CLI::error('there is no user of this name');",
    '$key = get_password_reset_key($user);',
    'if (is_wp_error($key)) WP_CLI::error($key);',
    '$login = rawurlencode($user->user_login);',
    'echo site_url("wp-login.php?action=rp&key=$key&login=$login", "login"), "\\n";',
  ]
  return wpCli(places, '--skip-plugins', '--skip-themes', 'eval', code.join(' '))
}

/** Of an installation. The tenant is a part of it: an id that a panel in wrong hands gives twice opens nobody else's database. */
export interface Installation {
  readonly tenant: Id
  readonly app: Id
}

type Where = Pick<Machine, 'files' | 'places'>

/** The same for the same installation, and not to be had without root's key: so no journal needs to hold it. */
async function derived({ files, places }: Where, { tenant, app }: Installation, what: string): Promise<string> {
  const key = await files.readText(places.applicationsKey)
  if (key === undefined)
    throw new WcpError('machine_failed', `Cannot find the key "${places.applicationsKey}"`, {
      help: 'The root side makes it when it starts: systemctl restart wcpd',
    })
  return createHmac('sha256', key.trim()).update(`${tenant} ${app} ${what}`).digest('base64url')
}

export function databasePassword(where: Where, installation: Installation): Promise<string> {
  return derived(where, installation, 'password of its database')
}

const salts = ['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'].flatMap((name) => [`${name}_KEY`, `${name}_SALT`])

/** Names of databases, paths and derived texts have no sign that ends a text of PHP. */
export async function configText(where: Where, installation: Installation, database: DatabaseName): Promise<string> {
  const values: [name: string, value: string][] = [
    ['DB_NAME', database],
    ['DB_USER', database],
    ['DB_PASSWORD', await databasePassword(where, installation)],
    ['DB_HOST', `localhost:${where.places.mariadbSocket}`],
    ['DB_CHARSET', 'utf8mb4'],
    ['DB_COLLATE', ''],
  ]
  for (const name of salts) values.push([name, await derived(where, installation, name)])
  return `<?php
${values.map(([name, value]) => `define('${name}', '${value}');`).join('\n')}
$table_prefix = 'wp_';
define('WP_DEBUG', false);
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`
}
