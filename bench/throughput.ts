/** A site against a server block written by hand in the same nginx, and its PHP against a pool written by hand. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installedPhp } from '../src/agent/os/php-versions.ts'
import { freePorts } from '../test/support/free-ports.ts'
import { type Bench, type Figure, percentile, progress } from './bench.ts'
import { ofVisitors } from './needs.ts'
import { hostOf, Server } from './server.ts'
import { type RushOptions, rushFor } from './wrk.ts'

const rounds = 9
const roundSeconds = 2
const connections = 8
const fileBytes = 4096
const name = 'resident'

export const throughput: Bench = {
  name: 'throughput',
  needs: ofVisitors,
  summary: 'static and PHP answers of a site against a hand-written server block and pool, in turn in the same nginx',
  async run() {
    const server = await Server.start()
    let fpm: ChildProcess | undefined
    try {
      await server.createTenant(name)
      await server.untilServed(name)
      await server.untilQuiet()
      server.putPage(name, '<?php echo "hello from ", posix_geteuid();')
      const file = join(server.docroot(name), 'file.txt')
      writeFileSync(file, 'x'.repeat(fileBytes), { mode: 0o644 })
      const { http: port } = await freePorts()
      fpm = await addByHand(server, port)
      const site = { port: server.ports.http, host: hostOf(name), connections }
      const byHand = { port, host: hostOf(name), connections }
      return [
        ...(await inTurn('static file of 4 kB', site, byHand, '/file.txt')),
        ...(await inTurn('PHP', site, byHand, '/index.php')),
      ]
    } finally {
      if (fpm !== undefined) await end(fpm)
      await server.dispose()
    }
  },
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const exit = once(process, 'exit')
  process.kill('SIGTERM')
  await exit
}

/** Pairs of rounds, so that other work on the machine meets both alike. */
async function inTurn(what: string, site: RushOptions, byHand: RushOptions, path: string): Promise<readonly Figure[]> {
  const ratios: number[] = []
  const paces: number[] = []
  for (let round = -1; round < rounds; round++) {
    const pair = [() => rushFor(roundSeconds, { ...site, path }), () => rushFor(roundSeconds, { ...byHand, path })]
    const isSwapped = round % 2 === 0
    const [first, second] = isSwapped ? pair.toReversed() : pair
    const visits = [await first?.(), await second?.()]
    const [ours, theirs] = isSwapped ? visits.toReversed() : visits
    if (!ours || !theirs) throw new Error('a round is missing')
    if (ours.failed > 0 || theirs.failed > 0) throw new Error(`${what}: requests failed`)
    if (round < 0) continue // warms both
    progress(`${what}: ${ours.perSecond.toFixed(0)} against ${theirs.perSecond.toFixed(0)} answers per second`)
    ratios.push(ours.perSecond / theirs.perSecond)
    paces.push(ours.perSecond)
  }
  return [
    { name: `${what}: answers of a site`, value: percentile(paces, 50), unit: 'per second', target: null },
    { name: `${what}: site against by hand, median`, value: percentile(ratios, 50), unit: 'ratio', target: '>= 0.95' },
    { name: `${what}: lowest of ${rounds} pairs`, value: Math.min(...ratios), unit: 'ratio', target: null },
    { name: `${what}: highest`, value: Math.max(...ratios), unit: 'ratio', target: null },
  ]
}

/** The same files by a server block and a pool as an administrator writes them. @returns the master of the pool */
async function addByHand(server: Server, port: number): Promise<ChildProcess> {
  const php = installedPhp().at(-1)
  if (php === undefined) throw new Error('PHP-FPM is not installed')
  const { root } = server.places
  const docroot = server.docroot(name)
  const socket = join(root, 'run/by-hand.sock')
  const { uid, gid } = statSync(docroot)
  const config = join(root, 'etc/by-hand-fpm.conf')
  const log = join(root, 'var/log/by-hand-fpm.log')
  writeFileSync(config, poolByHand({ uid, gid, socket, log }))
  // In a session of its own, as a service has it: the kernel shares processors out between sessions first (sched(7), autogroup).
  const fpm = spawn(`/usr/sbin/php-fpm${php}`, ['--nodaemonize', '--fpm-config', config], {
    stdio: 'ignore',
    detached: true,
  })
  while (!existsSync(socket)) {
    if (fpm.exitCode !== null) throw new Error(`PHP-FPM did not start; see ${log}`)
    await sleep(20)
  }
  chownSync(socket, uid, gid)
  writeFileSync(join(root, 'etc/nginx/conf.d/by-hand.conf'), blockByHand({ port, docroot, socket, root }))
  process.kill(server.webMaster, 'SIGHUP')
  await sleep(500)
  return fpm
}

function poolByHand({ uid, gid, socket, log }: { uid: number; gid: number; socket: string; log: string }): string {
  return `[global]
error_log = ${log}
[by-hand]
user = ${uid}
group = ${uid}
listen = ${socket}
listen.owner = ${uid}
listen.group = ${gid}
listen.mode = 0660
pm = dynamic
pm.max_children = 10
pm.start_servers = 4
pm.min_spare_servers = 2
pm.max_spare_servers = 10
pm.max_requests = 1000
`
}

function blockByHand(block: { port: number; docroot: string; socket: string; root: string }): string {
  return `server {
  listen 127.0.0.1:${block.port};
  server_name ${hostOf(name)};
  root ${block.docroot};
  index index.php index.html;
  access_log ${block.root}/var/log/by-hand.log combined buffer=64k flush=1s;
  location / { try_files $uri $uri/ /index.php$is_args$args; }
  location ~ \\.php$ {
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
    fastcgi_pass unix:${block.socket};
  }
}
`
}
