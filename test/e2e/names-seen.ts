/** Where a process of a tenant meets a word in what it sees of the machine: in names, and in what the kernel tells about it. */

/** A script: the word is its first argument, `word` of a request. Prints a list of paths. */
export const namesSeen = `<?php
$word = $argv[1] ?? $_GET['word'];
$has = fn($text) => preg_match("/(?<![a-z0-9])$word(?![a-z0-9])/", (string) $text) === 1;
$seen = [];
function walk($directory, $depth) {
  global $has, $seen;
  foreach (@scandir($directory) ?: [] as $entry) {
    if ($entry === '.' || $entry === '..') continue;
    $path = "$directory/$entry";
    if ($has($entry)) $seen[] = $path;
    if ($depth > 0 && is_dir($path) && !is_link($path)) walk($path, $depth - 1);
  }
}
foreach (['/sys/fs', '/run', '/srv', '/tmp', '/dev', '/var/lib', '/var/log', '/var/spool'] as $place) walk($place, 3);
foreach (['cgroup', 'mountinfo', 'net/unix', '../1/cgroup'] as $file)
  if ($has(@file_get_contents("/proc/self/$file"))) $seen[] = "/proc/self/$file";
foreach (['/etc/passwd', '/etc/group'] as $file) if ($has(file_get_contents($file))) $seen[] = $file;
echo json_encode($seen);
`
