import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Tried } from './attack-class.ts'
import type { PanelBrowser } from './panel-browser.ts'
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

/** Ends a text, an attribute of either quote, a title, a comment; a template's own marks; a direction. */
const payload = `"><wcpx>'<wcpx a="</title><!--</script><script>wcpx()</script><img src=x onerror=wcpx()><%= 7*7*7 %>{{wcpx}}<base href=//evil>\u202e" wcpattr="1' wcpattr='1`
/** Texts of people and programs. */
const texts: readonly (readonly [table: string, column: string])[] = [
  ['packages', 'description'],
  ['sessions', 'user_agent'],
  ['sessions', 'ip'],
  ['job_steps', 'name'],
  ['job_steps', 'note'],
  ['mails', 'error'],
]
/** What can only be there when somebody else wrote into the store: the page may fail, and is not fooled. */
const impossible: readonly (readonly [table: string, column: string])[] = [
  ['tenants', 'name'],
  ['domains', 'fqdn'],
  ['users', 'email'],
  ['roles', 'name'],
  ['packages', 'name'],
]

export const storedXss: Tried = {
  name: 'stored and reflected scripts on every page',
  holds: 'shown as text everywhere, under a policy without any script',
  says: [/^an operation failed$/, /^a request failed$/],
  async attack(stage, tally) {
    const store = new Database(join(stage.product.places.panelState, 'state.db'))
    store.pragma('busy_timeout = 10000')
    const undo: (() => void)[] = []
    try {
      await throughTheDoors(stage, tally)
      for (const [table, column] of texts) undo.push(poison(store, table, column))
      const pages = await crawl(stage.admin, tally)
      for (const browser of [stage.reseller, stage.baker.browser]) await crawl(browser, tally)
      tally.held(pages >= 30, `only ${pages} pages were seen`)
      for (const [table, column] of impossible) {
        const back = poison(store, table, column)
        for (const path of ['/tenants', '/domains', '/users', '/roles', '/packages', '/jobs'])
          inspect(path, { ...(await stage.admin.page(path)), status: 200 }, tally)
        back()
      }
    } finally {
      for (const back of undo) back()
      store.close()
    }
  },
}

/** What strangers and customers can write by themselves. */
async function throughTheDoors(stage: Stage, tally: Tally): Promise<void> {
  const stranger = stage.browser('127.0.20.1')
  const login = await stranger.form('/login', { email: payload, password: payload, next: payload })
  inspect('/login', login, tally)
  for (const headers of [
    { 'user-agent': '<wcpx>"\'' },
    { referer: `https://evil.example/<wcpx>` },
    { 'accept-language': '<wcpx>' },
  ] as Record<string, string>[]) {
    inspect(
      '/login',
      await stranger.ask({ path: '/login?next=%22%3E%3Cwcpx%3E', headers: { accept: 'text/html', ...headers } }),
      tally,
    )
  }
  const word = encodeURIComponent(payload)
  const places = ['tenants', 'domains', 'packages', 'users', 'roles', 'resellers', 'jobs', 'audit', 'mails']
  const filters = ['search', 'status', 'cursor', 'limit', 'tenant', 'actor', 'since', 'role', 'wcp-no-such-field']
  for (const place of places)
    for (const filter of filters)
      inspect(`/${place}?${filter}`, await stage.admin.page(`/${place}?${filter}=${word}`), tally)
  for (const path of [
    `/${word}`,
    `/tenants/${word}`,
    `/do/${word}`,
    `/do/tenant.create?name=${word}&_back=${word}`,
    `/terminal?line=${word}`,
    `/api-reference/${word}`,
    `/link/${word}`,
    `/login/code?next=${word}`,
  ])
    inspect(path, await stage.admin.page(path), tally)
  await stage.admin.form('/terminal', { line: `tenant create '${payload.replaceAll("'", '')}'` })
  inspect('/terminal', await stage.admin.page('/terminal'), tally)
  await stage.admin.form('/terminal', { line: 'clear' })
  for (const operation of ['tenant.create', 'domain.create', 'package.create', 'user.create', 'role.create']) {
    const fields = Object.fromEntries(
      ['name', 'fqdn', 'description', 'email', 'package', 'tenant', 'role', 'permissions', 'aliases'].map((field) => [
        field,
        payload,
      ]),
    )
    inspect(`/do/${operation}`, await stage.admin.form(`/do/${operation}`, fields), tally)
  }
}

function poison(store: Database.Database, table: string, column: string): () => void {
  const rows = store.prepare(`select id, ${column} as kept from ${table}`).all() as { id: string; kept: unknown }[]
  const write = store.prepare(`update ${table} set ${column} = ? where id = ?`)
  for (const [index, { id }] of rows.entries()) {
    // Some columns hold each value once.
    if (typeof rows[index]?.kept === 'string') write.run(`${payload}${index}`, id)
  }
  return () => {
    for (const { id, kept } of rows) write.run(kept, id)
  }
}

/** Every page that links lead to; forms that only ask are among them. */
async function crawl(browser: PanelBrowser, tally: Tally): Promise<number> {
  const seen = new Set<string>()
  const next = ['/']
  for (let path = next.pop(); path !== undefined && seen.size < 120; path = next.pop()) {
    const kind = path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id').replace(/=[^&]*/g, '=')
    if (seen.has(kind)) continue
    seen.add(kind)
    const page = await browser.page(path)
    inspect(path, page, tally)
    for (const [, link = ''] of page.text.matchAll(/<a [^>]*href="(\/[^"#]*)/g))
      next.push(link.replaceAll('&amp;', '&'))
  }
  return seen.size
}

function inspect(
  path: string,
  { text, headers, status }: Awaited<ReturnType<PanelBrowser['page']>>,
  tally: Tally,
): void {
  const where = path.slice(0, 80)
  tally.held(status < 500, `${where}: ${status}`)
  tally.held(
    !/<wcpx|<script|<base|<img|" wcpattr=|' wcpattr=|343\{\{/.test(text),
    `${where}: ${/.{40}(<wcpx|<script|<base|<img|wcpattr=).{20}/.exec(text)?.[0]}`,
  )
  tally.held(!/(?:href|action|src)="\s*(?:javascript|data|vbscript):/i.test(text), `${where} links to a script`)
  const tags = text.replace(/"[^"]*"/g, '""')
  tally.held(!/<[a-z][^<>]*\s[a-z-]+=[^"]/.test(tags), `${where} has an attribute without quotes`)
  const policy = String(headers['content-security-policy'])
  tally.held(
    [
      "script-src 'none'",
      "default-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].every((part) => policy.includes(part)),
    `${where}: its policy is ${policy}`,
  )
}
