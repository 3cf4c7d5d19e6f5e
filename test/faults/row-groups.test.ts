import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'wcp-row-groups-'))
const file = (name: string) => JSON.stringify(join(import.meta.dirname, name))
const group = join(directory, 'group.ts')
writeFileSync(
  group,
  `import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { row } from ${file('rows.ts')}
const [, , name = '', other = '', code = ''] = process.argv
console.log(name + ' begins')
writeFileSync(${JSON.stringify(directory)} + '/' + name, '')
while (other !== '' && !existsSync(${JSON.stringify(directory)} + '/' + other)) await pause(20)
await pause(200)
console.log(name + ' ends')
if (code === '') row({ fault: name, name: 'tried', cases: 1, failed: 0, outcome: 'held' })
process.exitCode = Number(code)
`,
)
const suite = join(directory, 'suite.ts')
writeFileSync(
  suite,
  `import { runSuite } from ${file('../support/row-groups.ts')}
const missing = () => undefined
const group = (name, ...words) => ({ name, summary: '', argv: [${JSON.stringify(group)}, name, ...words], missing })
process.exitCode = await runSuite({ name: 'faults', column: 'fault', groups: [
  group('first'),
  { ...group('one', 'other'), beside: 'both' },
  { ...group('other', 'one'), beside: 'both' },
  group('last', '', '3'),
] })
`,
)
afterAll(() => rmSync(directory, { recursive: true }))

it('runs neighbours at the same time, shows what each printed whole, and counts a group without rows as failed', () => {
  const { stdout, status } = spawnSync(process.execPath, [suite], { encoding: 'utf8', timeout: 50_000 })

  expect(status).toBe(1)
  for (const name of ['first', 'one', 'other', 'last']) expect(stdout).toContain(`${name} begins\n${name} ends\n`)
  expect(stdout).toMatch(/^first begins/)
  expect(stdout).toMatch(/\nlast the group itself \| +1 \| FAILED 1: it reported nothing\n3 passed, 1 failed\n$/)
})
