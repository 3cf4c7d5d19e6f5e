import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { printRecord, printTable } from '../../src/lib/print.ts'
import type { Tried } from './attack-class.ts'
import { get } from './site-request.ts'

const payloads = [
  'a\nforged line',
  'a\r\n{"level":50,"msg":"forged"}',
  '\u001b[2J\u001b]0;x\u0007',
  'a\u2028b',
  'from 8.8.8.8 port 22 ssh2',
  '\u009b31m',
  'x'.repeat(7000),
  '%0a%0dforged',
  '\u202eevil',
]

export const logLines: Tried = {
  name: 'lines in logs, terminals and the audit trail',
  holds: 'one line each, no control characters; edits, deletions and cuts of the trail are found',
  async attack(stage, tally) {
    const { product } = stage
    const auditBefore = readFileSync(product.places.auditLog, 'utf8').length
    const logBefore = product.output.length
    for (const [index, payload] of payloads.entries()) {
      const browser = stage.browser(`127.3.${index}.1`)
      await browser.form('/login', { email: payload, password: payload })
      const header = encodeURIComponent(payload).slice(0, 6000)
      await browser.ask({
        path: `/login?x=${header}`,
        headers: { 'user-agent': header, referer: `https://x/${header}` },
      })
      await stage.admin.form('/terminal', { line: `tenant get '${payload.replaceAll("'", '').slice(0, 500)}'` })
      await get(product, stage.butcher.site, `/${header}`, false, { 'user-agent': header })
    }
    await stage.admin.form('/terminal', { line: 'clear' })
    const log = product.output.slice(logBefore).split('\n').filter(Boolean)
    tally.held(
      log.length > 0 && log.every(isJson),
      `the log has a line that is none: ${log.find((line) => !isJson(line))?.slice(0, 100)}`,
    )
    const audit = readFileSync(product.places.auditLog, 'utf8').slice(auditBefore).split('\n').filter(Boolean)
    tally.held(audit.length > 0 && audit.every(isJson), 'the audit log has a line that is none')
    for (const text of [
      product.output.slice(logBefore),
      audit.join(''),
      readFileSync(product.places.accessLog, 'utf8'),
    ])
      tally.held(
        ['\u001b', '\u009b', '\u0007'].every((control) => !text.includes(control)),
        'a log has control characters',
      )
    for (const payload of payloads) {
      const printed: string[] = []
      const output = {
        out: (text: string) => void printed.push(text),
        err: (text: string) => void printed.push(text),
        colour: false,
      }
      printTable(output, ['name'], [{ name: payload }])
      printRecord(output, { name: payload, nested: { deep: [payload] } })
      tally.held(
        !/[\p{Cc}\u2028\u2029\u202a-\u202e]/u.test(printed.join('').replaceAll('\n', '')),
        `the terminal gets ${JSON.stringify(payload.slice(0, 20))}`,
      )
    }

    const store = new Database(join(product.places.panelState, 'state.db'))
    store.pragma('busy_timeout = 10000')
    const verdict = async () => (await stage.root('GET', '/audit/verify')).json().ok
    try {
      tally.same(await verdict(), true, 'before anything was done the trail is not whole')
      const last = store.prepare('select * from audit_logs order by sequence desc limit 1').get() as Record<
        string,
        unknown
      >
      const middle = store.prepare('select * from audit_logs order by sequence limit 1 offset 5').get() as Record<
        string,
        unknown
      >
      const damages: readonly (readonly [string, () => void, () => void])[] = [
        [
          'an entry was edited',
          () => store.prepare("update audit_logs set actor = 'nobody' where id = ?").run(middle.id),
          () => store.prepare('update audit_logs set actor = ? where id = ?').run(middle.actor, middle.id),
        ],
        [
          'an entry was removed',
          () => store.prepare('delete from audit_logs where id = ?').run(middle.id),
          () => insert(store, middle),
        ],
        [
          'the end was cut off',
          () => store.prepare('delete from audit_logs where id = ?').run(last.id),
          () => insert(store, last),
        ],
      ]
      for (const [what, damage, mend] of damages) {
        damage()
        tally.same(await verdict(), false, what)
        mend()
        tally.same(await verdict(), true, `${what}, and put back`)
      }
    } finally {
      store.close()
    }
    tally.held(isRootsAlone(product.places.auditLog), "the audit log is not root's alone")
  },
}

function insert(store: Database.Database, row: Record<string, unknown>): void {
  const names = Object.keys(row)
  store
    .prepare(`insert into audit_logs (${names.join(', ')}) values (${names.map((name) => `@${name}`).join(', ')})`)
    .run(row)
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

function isRootsAlone(file: string): boolean {
  return /^600 0$/.test(execFileSync('/usr/bin/stat', ['-c', '%a %u', '--', file], { encoding: 'utf8' }).trim())
}
