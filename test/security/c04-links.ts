import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { purge } from '../faults/crash-jobs.ts'
import { exchange, keepRunningAs, runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

const rounds = 6
const name = 'racer'
const site = 'racer.example.com'

/**
 * The tenant swaps directories and links under root's feet, with a place to stand inside the tree: a process that has it as
 * its working directory still reaches it after root has moved the tree into a directory that nobody may enter.
 */
export const linksUnderRoot: Tried = {
  name: "links, pipes and swapped directories in the tenant's tree while root works there",
  holds: 'nothing outside was changed, removed, or given away; no job hung',
  async attack(stage, tally) {
    const outside = join(stage.product.root, 'outside')
    mkdirSync(join(outside, 'deep'), { recursive: true })
    chmodAll(outside)
    const before = picture(outside)
    await stage.root('POST', '/tenants', { name, package: 'basic' })
    for (let round = 0; round < rounds; round++) {
      await siteComesAndGoes(stage, tally, outside, round)
      tally.same(picture(outside), before, `round ${round}: what lies outside has changed`)
    }
    await stage.root('DELETE', `/tenants/${name}`)
    await settledWithin(stage, tally, 'tenant.delete')
    await purge(stage.product)
    await settledWithin(stage, tally, 'tenant.purge')
    tally.same(picture(outside), before, 'what lies outside has changed')
    rmSync(outside, { recursive: true })
  },
}

async function siteComesAndGoes(stage: Stage, tally: Tally, outside: string, round: number): Promise<void> {
  const { customers } = stage.product.places
  await stage.root('POST', '/domains', { tenant: name, fqdn: site, php: 'none' })
  await settledWithin(stage, tally, 'domain.create')
  const docroot = customers.docroot(TenantName.parse(name), Fqdn.parse(site))
  const { uid } = statSync(docroot)
  tally.held(uid >= 20_000, `the document root belongs to uid ${uid}`)
  tally.same(runAs({ uid }, traps(outside), docroot), 'laid', 'the traps cannot be laid')
  tally.same(runAs({ uid }, topTraps(), docroot), 'refused', 'the tenant can replace what root stands on')
  const racer = await keepRunningAs({ uid }, race, docroot)
  try {
    await commandReads(stage, tally)
    for (const path of [`/domains/${site}/suspend`, `/domains/${site}/unsuspend`]) {
      await stage.root('POST', path)
      await settledWithin(stage, tally, path)
    }
    await stage.root('DELETE', `/domains/${site}`)
    await settledWithin(stage, tally, 'domain.delete')
    if (round % 2 === 0) {
      await stage.root('POST', `/domains/${site}/restore`)
      await settledWithin(stage, tally, 'domain.restore')
      await stage.root('DELETE', `/domains/${site}`)
      await settledWithin(stage, tally, 'domain.delete')
    }
    await purge(stage.product)
    await settledWithin(stage, tally, 'domain.purge')
  } finally {
    await racer.end()
  }
}

/** The tenant's own command among names that change places: it reads what the tenant may read. */
async function commandReads(stage: Stage, tally: Tally): Promise<void> {
  const files = 'swap-a/* swap-b/* to-outside/* to-etc/shadow deep/to-root/root/.* hard-secret'
  const script = `for round in 1 2 3 4 5 6 7 8; do cat ${files}; done 2>/dev/null; echo read`
  const begun = await stage.root('POST', `/domains/${site}/run`, { command: ['sh', '-c', script] })
  await settledWithin(stage, tally, 'domain.run')
  const text = String((await stage.root('GET', `/jobs/${begun.json().jobId}/output`)).json().text)
  tally.held(
    text.endsWith('read\n') && !text.includes("root's own") && !text.includes('root:'),
    `a command reads what lies outside: ${JSON.stringify(text.slice(0, 200))}`,
  )
}

/** Two names change places as fast as they can: a directory full of files, and a link to what lies outside. */
const race = `${exchange}
echo "begun\\n";
for (;;) {
  if (exchange('swap-a', 'swap-b') !== 0) { @mkdir('swap-a'); @file_put_contents('swap-a/file', 'x'); @symlink(trim(@file_get_contents('outside.txt')), 'swap-b'); }
}`

/** Whatever a walk could stumble over. */
const traps = (outside: string) => `
foreach (['swap-a', 'deep/er', '-rf', '--checkpoint-action=exec=sh x', "new\\nline"] as $d) { @mkdir($d, 0777, true); @file_put_contents("$d/file", 'x'); }
@symlink('${outside}', 'swap-b'); @symlink('${outside}', 'to-outside'); @symlink('/etc', 'to-etc'); @symlink('/', 'deep/to-root'); @symlink('loop', 'loop');
@file_put_contents('outside.txt', '${outside}');
posix_mkfifo('pipe', 0666); $s = stream_socket_server('unix://socket');
@file_put_contents('plain', 'x'); chmod('plain', 06777); @link('/etc/passwd', 'hard'); @link('${outside}/secret', 'hard-secret');
echo 'laid';`

/** What stands above the document root is root's: none of this may work. */
const topTraps = () => `
$ok = [];
foreach (['..', '../..', '../../..', '../../../..'] as $up) {
  foreach ([fn() => @symlink('/etc', "$up/evil"), fn() => @mkdir("$up/evil"), fn() => @file_put_contents("$up/evil", 'x') !== false, fn() => @chmod($up, 0777)] as $try) if ($try()) $ok[] = $up;
}
if (@rename('../public', '../moved')) $ok[] = 'rename';
echo $ok === [] ? 'refused' : implode(' ', $ok);`

function chmodAll(outside: string): void {
  writeFileSync(join(outside, 'secret'), "root's own", { mode: 0o600 })
  writeFileSync(join(outside, 'deep/file'), "root's own", { mode: 0o644 })
  symlinkSync('deep', join(outside, 'link'))
}

function picture(outside: string): string {
  const of = (path: string) => {
    if (!existsSync(path)) return `${path} is gone`
    const { mode, uid, gid, nlink, ctimeMs } = statSync(path)
    return `${path} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${ctimeMs}`
  }
  const paths = ['', 'deep', 'deep/file', 'secret'].map((path) => join(outside, path))
  return [...paths.map(of), existsSync(paths[3] ?? '') ? readFileSync(paths[3] ?? '', 'utf8') : ''].join('\n')
}

async function settledWithin(stage: Stage, tally: Tally, what: string): Promise<void> {
  const jobs = await stage.world.settled(60_000)
  const [last] = jobs
  tally.held(
    last?.state === 'succeeded',
    `${what}: ${last?.type} is ${last?.state} ${JSON.stringify(last?.failure ?? null)}`,
  )
}
