/** What the server holds after a cut, read by a program of its own: both stores, and every managed file with its content. */
import { z } from 'zod'
import type { Machine } from '../e2e/harness/machine.ts'

const PanelJob = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  state: z.string(),
  token: z.int(),
  kind: z.string(),
  resource: z.string(),
  name: z.string(),
  tenant: z.string(),
  actor: z.string(),
  failure: z.string().nullable(),
})
export type PanelJob = z.output<typeof PanelJob>

const AgentJob = z.object({
  id: z.string(),
  seq: z.int(),
  type: z.string(),
  state: z.string(),
  token: z.int(),
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

export const Facts = z.object({
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
export type Facts = z.output<typeof Facts>

export async function gatherFacts(machine: Machine): Promise<Facts> {
  return Facts.parse(JSON.parse(await machine.succeed(['php', '-d', 'memory_limit=-1', '--'], { input: gather })))
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
$places = ['/var/lib/wcp360-web', '/etc/userdb', '/etc/nginx/conf.d/wcp360.conf', '/srv/www'];
echo json_encode([
  'integrity' => ['panel' => $panel('pragma integrity_check')[0]['integrity_check'], 'agent' => $agent('pragma integrity_check')[0]['integrity_check']],
  'panelJobs' => $panel("select j.id, j.sequence, j.type, j.state, j.token, j.resource_kind as kind, j.resource_id as resource,
    j.resource_name as name, coalesce(t.name, '') as tenant, j.actor, j.failure from jobs j left join tenants t on t.id = j.tenant_id order by j.sequence"),
  'tenants' => $panel('select id, name, status, deleted_at is not null as isDeleted from tenants'),
  'domains' => $panel('select d.id, d.fqdn as name, d.status, d.deleted_at is not null as isDeleted, t.name as tenant from domains d join tenants t on t.id = d.tenant_id'),
  'agentJobs' => $agent('select id, seq, type, state, token, resource, acknowledged from jobs order by seq'),
  'fences' => $agent('select resource, token from fences'),
  'agentTenants' => $agent('select id, name, uid, state as status from tenants'),
  'agentSites' => $agent('select s.id, s.fqdn as name, s.state as status, t.name as tenant from sites s join tenants t on t.id = s.tenant'),
  'hosts' => array_column($agent('select name from hosts'), 'name'),
  'entries' => array_merge(...array_map('entries', $places)),
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
`
