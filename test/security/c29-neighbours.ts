import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { get } from './site-request.ts'

/** What a tenant's PHP sees of the machine: asked of the real one, in its own file-system view. */
const look = `<?php
$seen = [];
$uids = [];
foreach (glob('/proc/[0-9]*') as $p) { $s = @file_get_contents("$p/status"); if (preg_match('/^Uid:\\s+(\\d+)/m', (string) $s, $m)) $uids[$m[1]] = true; }
$seen['uids'] = array_map('intval', array_keys($uids));
$seen['users'] = array_map(fn($l) => explode(':', $l)[0], array_filter(file('/etc/passwd', FILE_IGNORE_NEW_LINES)));
foreach (json_decode($_GET['at']) as $path) { if (@file_get_contents($path) !== false || @scandir($path) !== false) $seen['read'][] = $path; }
$seen['unix'] = (string) @file_get_contents('/proc/self/net/unix');
foreach (json_decode($_GET['write']) as $path) { if (@file_put_contents("$path/wcp-evil", 'x') !== false) { @unlink("$path/wcp-evil"); $seen['written'][] = $path; } }
foreach (['shm_attach' => fn() => @shmop_open(0xdead, 'a', 0, 0)] as $what => $try) { if (function_exists('shmop_open') && $try()) $seen['ipc'][] = $what; }
foreach ([fn() => posix_setuid(0), fn() => posix_kill((int) $_GET['agent'], 0), fn() => posix_kill((int) $_GET['panel'], 0)] as $i => $try) { if (@$try()) $seen['power'][] = $i; }
$status = file_get_contents('/proc/self/status');
preg_match('/^CapEff:\\s+(\\S+)/m', $status, $m); $seen['caps'] = $m[1];
preg_match('/^NoNewPrivs:\\s+(\\S+)/m', $status, $m); $seen['noNewPrivs'] = $m[1];
preg_match('/^Groups:[ \\t]*(.*)$/m', $status, $m); $seen['groups'] = trim($m[1]);
echo json_encode($seen);`

export const neighbours: Tried = {
  name: 'what a tenant sees of the machine and of the others',
  holds: 'its own processes, users and files alone',
  notYet: "shells and SSH, the slice's address filter (without systemd)",
  async attack(stage, tally) {
    const { product, baker, butcher } = stage
    const { places } = product
    const docroot = places.customers.docroot(TenantName.parse(butcher.name), Fqdn.parse(butcher.site))
    runAs(
      butcher,
      `file_put_contents('look.php', base64_decode('${Buffer.from(look).toString('base64')}')); chmod('look.php', 0640);`,
      docroot,
    )
    const secrets = [
      places.customers.docroot(TenantName.parse(baker.name), Fqdn.parse(baker.site)),
      places.customers.home(TenantName.parse(baker.name)),
      places.customers.tmp(TenantName.parse(baker.name)),
      places.customers.trash,
      places.web.trash,
      places.panelState,
      places.panelRun,
      places.agentState,
      places.config,
      places.secrets,
      places.panelKey,
      places.auditLog,
      places.accessLog,
      places.tenantLogs(TenantName.parse(baker.name)),
      places.panelCredentials,
      places.panelTlsKey,
      places.wakerRun,
      '/etc/shadow',
      '/root',
      '/proc/1/environ',
      `/proc/${product.pids.agent}/cmdline`,
      `/proc/${product.pids.panel}/environ`,
      '/sys/fs/cgroup',
      '/sys/fs/cgroup/cgroup.procs.evil',
    ]
    const writable = [
      '/',
      '/etc',
      '/usr',
      '/usr/local/bin',
      '/var',
      '/run',
      '/srv',
      places.customers.tenant(TenantName.parse(butcher.name)),
      places.customers.sites(TenantName.parse(butcher.name)),
      places.fpmRun,
      places.web.root,
      '/dev',
    ]
    const query = new URLSearchParams({
      at: JSON.stringify(secrets),
      write: JSON.stringify(writable),
      agent: String(product.pids.agent),
      panel: String(product.pids.panel),
    })
    const awake = `file_put_contents('awake.php', '<?php echo "awake";'); chmod('awake.php', 0640);`
    runAs(baker, awake, places.customers.docroot(TenantName.parse(baker.name), Fqdn.parse(baker.site)))
    tally.same((await get(product, baker.site, '/awake.php')).body, 'awake', 'PHP of the baker does not answer')
    const { status, body } = await get(product, butcher.site, `/look.php?${query}`)
    tally.same(status, 200, `PHP does not answer: ${body.slice(0, 100)}`)
    const seen = JSON.parse(body) as Record<string, unknown>
    tally.same(
      ((seen.uids as number[]) ?? []).filter((uid) => uid !== butcher.uid && uid !== 0),
      [],
      'processes of others are seen',
    )
    tally.same(
      ((seen.users as string[]) ?? []).filter((name) => !['root', butcher.name].includes(name)),
      [],
      'other users are seen',
    )
    const unix = String(seen.unix)
    tally.held(
      unix.includes(places.fpmBoundSocket(baker.uid)),
      'the table of unix sockets does not show PHP of the baker',
    )
    tally.held(!new RegExp(`[./]${baker.name}[./]`).test(unix), 'sockets bear the names of others')
    for (const path of secrets) tally.held(!((seen.read as string[]) ?? []).includes(path), `PHP reads ${path}`)
    for (const path of writable)
      tally.held(!((seen.written as string[]) ?? []).includes(path), `PHP writes into ${path}`)
    tally.same(seen.ipc, undefined, 'memory of others is seen')
    tally.same(seen.power, undefined, 'PHP has power over others')
    tally.same(
      [seen.caps, seen.noNewPrivs, seen.groups],
      ['0000000000000000', '1', ''],
      'capabilities, no_new_privs, groups',
    )

    // The same user without any view of its own: what file modes alone keep out.
    for (const path of secrets.filter((one) => !one.startsWith('/proc') && !one.startsWith('/sys'))) {
      const said = runAs(
        butcher,
        `echo (@file_get_contents('${path}') !== false || @scandir('${path}') !== false) ? 'read' : 'no';`,
      )
      tally.same(said, 'no', `the tenant's user reads ${path}`)
    }
    tally.same(
      runAs(butcher, `echo count(@scandir('${places.customers.root}') ?: []);`),
      '0',
      'the tenants can be listed',
    )
  },
}
