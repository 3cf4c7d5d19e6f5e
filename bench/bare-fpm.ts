/** PHP-FPM alone: started, asked once and ended, without the product, a sandbox or a supervisor. The measure of what a start may cost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fpmBinary } from '../src/agent/os/fpm-command.ts'
import { installedPhp } from '../src/agent/os/php-versions.ts'
import { answersFastCgi } from '../src/agent/os/unix-listen.ts'

/** @returns how many start in a second, so many at once, for as long as told */
export async function bareStarts(ms: number, atOnce: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-fpm-'))
  const began = performance.now()
  let started = 0
  try {
    const lanes = Array.from({ length: atOnce }, async (_, lane) => {
      const [socket, config] = [join(directory, `${lane}.sock`), join(directory, `${lane}.conf`)]
      writeFileSync(config, configuration(socket))
      while (performance.now() < began + ms) {
        await startOnce(config, socket)
        started++
      }
    })
    await Promise.all(lanes)
    return started / ((performance.now() - began) / 1000)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function startOnce(config: string, socket: string): Promise<void> {
  rmSync(socket, { force: true })
  const php = installedPhp()[0]
  if (php === undefined) throw new Error('PHP-FPM is not installed')
  // in a session of its own, as the product's: the kernel shares processors out between sessions first (sched(7), autogroup)
  const child = spawn(fpmBinary(php), ['--nodaemonize', '--fpm-config', config], { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  while (!(await answersFastCgi(socket, 10_000))) {
    if (child.exitCode !== null) throw new Error(`PHP-FPM ended with code ${child.exitCode}`)
    await sleep(5)
  }
  child.kill('SIGQUIT')
  await ended
}

/** As many processes as a tenant's. */
function configuration(socket: string): string {
  return `[global]
error_log = /dev/null
[bare]
user = nobody
group = nogroup
listen = ${socket}
pm = dynamic
pm.max_children = 10
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 4
`
}
