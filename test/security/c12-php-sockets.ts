import { existsSync, readFileSync } from 'node:fs'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { processesOf } from '../support/processes.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { get } from './site-request.ts'
import type { Customer, Stage } from './stage.ts'

export const phpSockets: Tried = {
  name: "another tenant's PHP: its socket, its settings, its cache",
  holds: 'no permission; masters run as their tenants; settings stay within the tenant',
  async attack(stage, tally) {
    const { product, baker, butcher } = stage
    const docroot = (one: Customer) =>
      product.places.customers.docroot(TenantName.parse(one.name), Fqdn.parse(one.site))
    for (const one of [baker, butcher]) {
      runAs(one, `file_put_contents('id.php', '<?php echo posix_geteuid();'); chmod('id.php', 0640);`, docroot(one))
      tally.same(
        (await get(product, one.site, '/id.php')).body,
        String(one.uid),
        `PHP of ${one.name} does not run as its user`,
      )
    }
    const masters = processesOf(product.root).filter(({ words }) => /php-fpm: (master|pool)/.test(words[0] ?? ''))
    tally.held(masters.length >= 2, 'no PHP is awake')
    for (const { pid, uid } of masters) tally.held(uid >= 20_000, `PHP process ${pid} has uid ${uid}`)

    const sockets = [
      product.places.fpmSocket(TenantName.parse(baker.name)),
      product.places.fpmHiddenSocket(TenantName.parse(baker.name)),
      product.places.agentSocket,
      product.places.cliSocket,
      product.places.wakeSocket,
      product.places.wakerAgentSocket,
    ].filter(existsSync)
    tally.held(sockets.length >= 4, `only ${sockets.length} sockets are there`)
    for (const socket of sockets) {
      const said = runAs(
        butcher,
        `$s = @stream_socket_client('unix://${socket}', $no, $why, 2); echo $s ? 'open' : 'closed';`,
      )
      tally.same(said, 'closed', `the butcher opens ${socket}`)
    }
    // The same from inside of his PHP, and over TCP.
    const inside = `<?php foreach (json_decode($_GET['at']) as $to) { $s = @stream_socket_client($to, $no, $why, 1); echo $s ? "open $to " : ''; } echo 'done';`
    runAs(
      butcher,
      `file_put_contents('sockets.php', base64_decode('${Buffer.from(inside).toString('base64')}')); chmod('sockets.php', 0640);`,
      docroot(butcher),
    )
    const targets = JSON.stringify(sockets.map((socket) => `unix://${socket}`))
    tally.same(
      (await get(product, butcher.site, `/sockets.php?at=${encodeURIComponent(targets)}`)).body,
      'done',
      'PHP of the butcher opens a socket',
    )

    // Settings of a directory cannot undo what the master says, nor read as root.
    const before = readFileSync(product.places.web.fpmConfig(TenantName.parse(butcher.name)), 'utf8')
    const ini = [
      'auto_prepend_file=/etc/shadow',
      'extension=/tmp/evil.so',
      'sys_temp_dir=/',
      'session.save_path=/root',
      'user=root',
      '[www]',
      'upload_tmp_dir=/root',
      'open_basedir=/',
    ]
    for (const [index, line] of ini.entries()) {
      // A directory for each: PHP remembers such a file for five minutes.
      const text = Buffer.from(`${line}\n`).toString('base64')
      const make = `mkdir('ini${index}'); file_put_contents('ini${index}/.user.ini', base64_decode('${text}')); copy('id.php', 'ini${index}/id.php');`
      runAs(butcher, `umask(022); ${make}`, docroot(butcher))
      const { body } = await get(product, butcher.site, `/ini${index}/id.php`)
      tally.held(
        !body.includes('root:') && ['', String(butcher.uid)].includes(body.trim()),
        `${line}: ${body.slice(0, 80)}`,
      )
    }
    tally.same(
      readFileSync(product.places.web.fpmConfig(TenantName.parse(butcher.name)), 'utf8'),
      before,
      'the configuration has changed',
    )
    tally.same(
      runAs(
        butcher,
        `echo @file_put_contents('${product.places.web.fpmConfig(TenantName.parse(butcher.name))}', 'user = root') === false ? 'no' : 'yes';`,
      ),
      'no',
      'the tenant writes the configuration',
    )

    tally.held(sharedCaches(stage) === 0, 'two tenants share memory')
  },
}

/** Shared memory of the opcache: the same object in two tenants' maps. */
function sharedCaches({ product }: Stage): number {
  const owners = new Map<string, Set<number>>()
  for (const { pid, uid, words } of processesOf(product.root)) {
    if (!/php-fpm/.test(words[0] ?? '')) continue
    for (const line of maps(pid)) {
      const [, , , device, inode, name] = line.trim().split(/\s+/)
      if (!name?.startsWith('/dev/zero') && !name?.startsWith('/SYSV')) continue
      const key = `${device} ${inode}`
      owners.set(key, (owners.get(key) ?? new Set()).add(uid))
    }
  }
  return [...owners.values()].filter((uids) => uids.size > 1).length
}

function maps(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
  } catch {
    return [] // it has ended
  }
}
