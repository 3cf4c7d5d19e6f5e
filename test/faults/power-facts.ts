/** What the server holds after a cut, read by a program of its own: both stores, and every managed file with its content. */
import { z } from 'zod'
import type { Machine } from '../e2e/harness/machine.ts'
import { type LoggedEnd, loggedEnds } from './history.ts'

const PanelJob = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  state: z.enum(['queued', 'running', 'stalled', 'succeeded', 'failed', 'cancelled']),
  token: z.int(),
  kind: z.string(),
  resource: z.string(),
  name: z.string(),
  tenant: z.string(),
  tenantName: z.string(),
  actor: z.string(),
  failure: z.string().nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  steps: z.array(z.object({ name: z.string(), startedAt: z.string().nullable(), finishedAt: z.string().nullable() })),
})
export type PanelJob = z.output<typeof PanelJob>

const AgentJob = z.object({
  id: z.string(),
  seq: z.int(),
  type: z.string(),
  state: z.enum(['queued', 'running', 'undoing', 'stuck', 'succeeded', 'failed']),
  token: z.int(),
  tenant: z.string(),
  resource: z.string(),
  acknowledged: z.int(),
})
export type AgentJob = z.output<typeof AgentJob>

const Named = z.object({ id: z.string(), name: z.string(), status: z.string() })
const Entry = z.object({
  path: z.string(),
  type: z.enum(['file', 'directory', 'link', 'other']),
  mode: z.string(),
  owner: z.string(),
  /** Of a file; the target of a link. */
  content: z.string(),
})
export type Entry = z.output<typeof Entry>

const Stores = z.object({
  integrity: z.object({ panel: z.string(), agent: z.string() }),
  panelJobs: z.array(PanelJob),
  tenants: z.array(Named.extend({ isDeleted: z.int() })),
  domains: z.array(Named.extend({ tenant: z.string(), isDeleted: z.int() })),
  agentJobs: z.array(AgentJob),
  fences: z.array(z.object({ resource: z.string(), token: z.int() })),
  agentTenants: z.array(Named.extend({ uid: z.int() })),
  agentSites: z.array(Named.extend({ tenant: z.string() })),
  hosts: z.array(z.string()),
  entries: z.array(Entry),
})
export interface Facts extends z.output<typeof Stores> {
  /** As far as the journal was on the disk before each cut. */
  readonly ends: readonly LoggedEnd[]
}

export async function gatherFacts(machine: Machine): Promise<Facts> {
  const found = await machine.succeed(['php', '-d', 'memory_limit=-1', '--'], { input: gather })
  const { stdout } = await machine.run('journalctl -u wcpd -o cat --no-pager --grep \'"msg":"job ended"\'')
  return { ...Stores.parse(JSON.parse(found)), ends: loggedEnds(stdout) }
}

/** Reads only, also from the stores: they are in use. */
const gather = `<?php
function store($path) {
  $db = new SQLite3($path, SQLITE3_OPEN_READONLY);
  $db->enableExceptions(true);
  $db->busyTimeout(10000);
  return function ($query) use ($db) {
    $rows = [];
    $found = $db->query($query);
    while ($row = $found->fetchArray(SQLITE3_ASSOC)) $rows[] = $row;
    return $rows;
  };
}
function entries($path) {
  $stat = @lstat($path);
  if (!$stat) return [];
  $type = is_link($path) ? 'link' : (is_dir($path) ? 'directory' : (is_file($path) ? 'file' : 'other'));
  $content = $type === 'link' ? readlink($path) : ($type === 'file' ? file_get_contents($path) : '');
  $own = ['path' => $path, 'type' => $type, 'mode' => decoct($stat['mode'] & 07777), 'owner' => $stat['uid'] . ':' . $stat['gid'],
    'content' => mb_check_encoding($content, 'UTF-8') ? $content : bin2hex($content)];
  $below = [];
  if ($type === 'directory')
    foreach (array_diff(scandir($path), ['.', '..']) as $name) array_push($below, ...entries("$path/$name"));
  return [$own, ...$below];
}
$panel = store('/var/lib/wcp360/state.db');
$agent = store('/var/lib/wcp360-agent/agent.db');
$jobs = $panel("select j.id, j.sequence, j.type, j.state, j.token, j.resource_kind as kind, j.resource_id as resource, j.resource_name as name,
  coalesce(j.tenant_id, j.resource_id) as tenant, coalesce(t.name, '') as tenantName, j.actor, j.failure, j.started_at as startedAt,
  j.finished_at as finishedAt from jobs j left join tenants t on t.id = j.tenant_id order by j.sequence");
foreach ($jobs as &$job)
  $job['steps'] = $panel("select name, started_at as startedAt, finished_at as finishedAt from job_steps where job_id = '{$job['id']}' order by position");
unset($job);
$places = ['/var/lib/wcp360-web', '/etc/userdb', '/etc/nginx/conf.d/wcp360.conf', '/srv/www'];
echo json_encode([
  'integrity' => ['panel' => $panel('pragma integrity_check')[0]['integrity_check'], 'agent' => $agent('pragma integrity_check')[0]['integrity_check']],
  'panelJobs' => $jobs,
  'tenants' => $panel('select id, name, status, deleted_at is not null as isDeleted from tenants'),
  'domains' => $panel('select d.id, d.fqdn as name, d.status, d.deleted_at is not null as isDeleted, t.name as tenant from domains d join tenants t on t.id = d.tenant_id'),
  'agentJobs' => $agent('select id, seq, type, state, token, tenant, resource, acknowledged from jobs order by seq'),
  'fences' => $agent('select resource, token from fences'),
  'agentTenants' => $agent('select id, name, uid, state as status from tenants'),
  'agentSites' => $agent('select s.id, s.fqdn as name, s.state as status, t.name as tenant from sites s join tenants t on t.id = s.tenant'),
  'hosts' => array_column($agent('select name from hosts'), 'name'),
  'entries' => array_merge(...array_map('entries', $places)),
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
`
