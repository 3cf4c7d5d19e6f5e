import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { parseConfigText } from './config-text.ts'
import { get } from './site-request.ts'
import type { Stage } from './stage.ts'

const secret = /root:x?:0:0|PRIVATE KEY|SQLite format|listen_addresses/
const syntax = [
  'a.com; } server {',
  'a.com\nload_module x;',
  '$document_root',
  '}',
  '#',
  'a;include /etc/shadow;',
  '~^.*$',
  '"a"',
]
/** Read by other web servers; those that PHP reads are with C12. */
const ownFiles = {
  '.htaccess': 'Options +Indexes\nphp_value auto_prepend_file /etc/passwd\nSetHandler application/x-httpd-php',
  'nginx.conf': 'location / { alias /; autoindex on; }',
  'web.config': '<configuration/>',
}
/** What a script may say to the web server. */
const headers = [
  ...[
    '/@php',
    '@php',
    '@closed',
    '@wake',
    '/../../../etc/passwd',
    '/etc/passwd',
    '//etc/passwd',
    '/.htaccess',
    '/accel.txt',
  ].map((to) => `X-Accel-Redirect: ${to}`),
  'X-Accel-Charset: utf-8; } server {',
  'X-Sendfile: /etc/passwd',
  'X-LIGHTTPD-send-file: /etc/passwd',
  'Location: /accel.txt',
  'Status: 999 x',
]

export const directives: Tried = {
  name: 'directives of the web server and of PHP, from values, files, headers',
  holds: "typed values only; the web server's configuration knows no tenant, a tenant's PHP only its own",
  notYet: 'proxies of tenants',
  async attack(stage, tally) {
    const { product, butcher, root } = stage
    const docroot = product.places.customers.docroot(TenantName.parse(butcher.name), Fqdn.parse(butcher.site))
    const before = configs(stage)
    for (const text of syntax) {
      for (const [path, body] of [
        ['/tenants', { name: text }],
        ['/tenants', { name: 'directive', domain: text }],
        ['/domains', { tenant: butcher.name, fqdn: text }],
        ['/domains', { tenant: butcher.name, fqdn: 'directive.net', aliases: [text] }],
        ['/domains', { tenant: butcher.name, fqdn: 'directive.net', php: text }],
        ['/packages', { name: 'directive', memMb: `128M\n${text}` }],
        ['/packages', { name: 'directive', pids: text }],
      ] as const)
        tally.same((await root('POST', path, body)).status, 422, `${path} ${JSON.stringify(body)}`)
      tally.same(
        (await root('PATCH', `/domains/${butcher.domain}`, { aliases: [text] })).status,
        422,
        `an alias "${text}"`,
      )
      for (const chosen of [
        { documentRoot: text },
        { documentRoot: `public/${text}` },
        { frontController: text },
        { frontController: `/${text}.php` },
        { canonicalName: text },
        { redirects: [`${text} /new 301`] },
        { redirects: [`/${text} /new 301`] },
        { redirects: [`/old ${text}`] },
        { redirects: [`/old https://example.org/%${text} 301`] },
        { redirects: [`/old /new 301${text}`] },
        { closedDirectories: [text] },
        { noPhpDirectories: [`/a/${text}`] },
        { protectedDirectories: [text] },
        { protectedDirectories: [`/${text}`] },
        { listedDirectories: [`/${text}`] },
        { hotlinkHosts: [text] },
        { requestsPerSecond: text },
        { addressRules: [text] },
        { addressRules: [`allow ${text}`] },
        { addressRules: [`deny 10.0.0.0/8${text}`] },
        { addressDirectories: [`/a${text}`] },
        { notFoundPage: `/${text}.html` },
        { headers: [`x-frame-options: ${text}`] },
        { headers: [`${text}: DENY`] },
        { phpTimezone: text },
        { phpTimezone: `Europe/Vienna${text}` },
        { phpErrorLevel: text },
        { phpMemoryMb: `128M\n${text}` },
      ])
        tally.same(
          (await root('PATCH', `/domains/${butcher.domain}`, chosen)).status,
          422,
          `a setting ${JSON.stringify(chosen)}`,
        )
      tally.same(
        (await root('POST', `/domains/${butcher.domain}/users`, { name: text })).status,
        422,
        `a user "${text}"`,
      )
      const { status, body } = await get(
        product,
        butcher.site,
        `/${encodeURIComponent(text)}?${encodeURIComponent(text)}`,
      )
      tally.held(!secret.test(body) && status !== 500, `a path "${text}": ${status}`)
    }

    const files = { ...ownFiles, 'accel.txt': 'own text', 'accel.php': `<?php header($_GET['say']); echo 'said';` }
    const code = `foreach (json_decode(base64_decode('${btoa(JSON.stringify(files))}')) as $name => $text) { file_put_contents($name, $text); chmod($name, 0640); } mkdir('plain'); chmod('plain', 0750); echo 'made';`
    tally.same(runAs(butcher, code, docroot), 'made', 'the files could not be made')
    for (const say of headers) {
      const { status, body } = await get(product, butcher.site, `/accel.php?say=${encodeURIComponent(say)}`)
      tally.held(!secret.test(body) && ['said', ''].includes(body), `${say}: ${status} ${body.slice(0, 60)}`)
    }
    for (const path of ['/plain/', '/etc/passwd', '/.htaccess', '/nginx.conf/x']) {
      const { status, body } = await get(product, butcher.site, path)
      tally.held(!secret.test(body) && status !== 200, `${path} with files for the web server beside it: ${status}`)
    }

    const after = configs(stage)
    tally.same(Object.keys(after), Object.keys(before), 'files of the configuration')
    for (const [file, text] of Object.entries(after)) {
      tally.held(before[file] === text, `${file} has changed`)
      tally.held(!/butcher|bakery|neighbour/.test(text), `${file} names a tenant`)
    }
    for (const name of ['bakery', 'butcher', 'neighbour']) {
      const text = readFileSync(product.places.web.fpmConfig(TenantName.parse(name)), 'utf8')
      tally.same(parseConfigText(text).sections, ['global', `tenant-${name}`], `sections of PHP of ${name}`)
    }
  },
}

/** What the web server reads. */
function configs({ product }: Stage): Readonly<Record<string, string>> {
  const directory = join(product.root, 'etc/nginx')
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'utf8')] as const),
  )
}
