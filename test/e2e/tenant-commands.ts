/** Commands of a tenant as systemd runs them: from the words that are typed to the end of a control group. */
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Machine } from './harness/machine.ts'
import { namesSeen } from './names-seen.ts'
import { eventually, visit } from './server.ts'

interface Place {
  readonly tenant: string
  readonly site: string
}

const runner: Place = { tenant: 'runner', site: 'runner.example.com' }
const mostProcesses = 48
const slice = `/sys/fs/cgroup/wcp.slice/wcp-${runner.tenant}.slice`
const deaf = 'trap "" TERM; setsid sh -c "sleep 600; exit" & echo begun; while :; do sleep 600; done'
const deafBomb = 'trap "" TERM; bomb() { bomb | bomb & }; bomb 2>/dev/null; echo begun; while :; do sleep 600; done'
const words = ['$HOME', '\u0024{HOME}', '$$', '%i %%', "'", '"', '\\', '\\x41', ' a  b ', '', '; id', '*', '-x']
const Paths = z.array(z.string())
const Begun = z.looseObject({ jobId: z.string() })

/** @param neighbour another tenant, whose site answers 200 */
export function commandsOfTenants(server: () => Machine, neighbour: Place): void {
  describe('commands of a tenant', { timeout: 300_000 }, () => {
    beforeAll(async () => {
      const limits = ['--pids', String(mostProcesses), '--mem-mb', '512']
      const { tenant, site } = runner
      await server().succeed(['wcp', 'package', 'create', tenant, ...limits])
      await server().succeed(['wcp', 'tenant', 'create', tenant, '--package', tenant, '--domain', site])
    })

    const run = (...command: string[]) => server().run(['wcp', 'run', runner.site, '--', ...command])
    const watch = (job: string) => server().run(['wcp', 'job', 'watch', job])
    /** But for those of PHP, which sleep later. */
    const processes = async () => (await server().run(`ps -u ${runner.tenant} -o args= | grep -v ^php-fpm`)).stdout

    /** Resolves with its job when it has said "begun". */
    async function begin(place: Place, script: string): Promise<string> {
      const line = ['wcp', 'run', '--json', place.site, '--', 'bash', '-c', script]
      const { jobId } = Begun.parse(JSON.parse(await server().succeed(line)))
      await eventually(server(), `wcp job output ${jobId}`, /begun/)
      return jobId
    }

    it('get their words as they were typed, and run by number, in the slice and the view of the PHP of the site', async () => {
      const uid = (await server().succeed(['id', '-u', runner.tenant])).trim()
      const page = `${docroot(runner)}/mounts.php`
      await server().succeed(`cat >${page} && chown ${uid}:${uid} ${page}`, {
        input: "<?php readfile('/proc/self/mountinfo');",
      })
      const facts =
        'printf "%s|" "$@"; echo; php -v | head -1; id -u; id -g; cat /proc/self/cgroup /proc/self/mountinfo'
      const said = (await run('sh', '-c', facts, 'sh', ...words)).stdout
      const [ownWords, php, ownUid, ownGid, group, ...mounts] = said.split('\n')

      expect(ownWords).toBe(words.map((word) => `${word}|`).join(''))
      expect(php).toMatch(/^PHP 8\.\d/)
      expect([ownUid, ownGid]).toEqual([uid, uid])
      expect(group).toMatch(/^0::\/wcp.slice\/wcp-runner.slice\/wcp-run-[0-9a-f-]{36}.service$/)
      const ofPhp = (await visit(server(), runner.site, '/mounts.php')).text.split('\n')
      const view = mountsOf(mounts).filter((line) => !line.includes('/wcp360-web/php/')) // a directory of root's
      expect(view.length).toBeGreaterThan(20)
      expect(view).toEqual(mountsOf(ofPhp))
    })

    it('print ten megabytes as they are', async () => {
      const wanted = `${Array.from({ length: 1_400_000 }, (_, index) => index + 1).join('\n')}\n`
      const sum = await server().succeed(`wcp run ${runner.site} -- seq 1 1400000 | sha256sum`)
      expect(sum).toContain(createHash('sha256').update(wanted).digest('hex'))
    })

    it('end at their time, with what does not listen and has left the session', async () => {
      const late = await server().run(['wcp', 'run', '--seconds', '8', runner.site, '--', 'sh', '-c', deaf])
      expect([late.code, late.stdout]).toEqual([10, 'begun\n'])
      expect(late.stderr).toContain('it ran for longer than 8 seconds')
      expect(await processes()).toBe('')
    })

    it('have their bounds of processes and memory, beside neighbours that answer, and end when they are told to', async () => {
      const job = await begin(runner, deafBomb)
      expect((await visit(server(), neighbour.site)).status).toBe(200)
      const refused = `awk '$1 == "max" { n += $2 } END { print n }' ${slice}/pids.events ${slice}/wcp-run-*/pids.events`
      await eventually(server(), refused, /^[1-9]/)
      expect(Number(await server().succeed(`cat ${slice}/wcp-run-*/pids.current`))).toBeLessThanOrEqual(mostProcesses)
      await server().succeed(['wcp', 'job', 'stop', job])
      expect((await watch(job)).stderr).toContain('The command was cancelled')
      expect(await processes()).toBe('')

      const greedy = await run('php', '-d', 'memory_limit=-1', '-r', '$a = str_repeat("x", 2 ** 30);')
      expect([greedy.code, greedy.stderr]).toEqual([10, expect.stringContaining('more memory than it may')])
      expect((await visit(server(), neighbour.site)).status).toBe(200)
    })

    it('go on while the agent is killed: found again, whether they end after it or meanwhile', async () => {
      const waiting = (code: number) =>
        `echo began >>began; echo begun; until [ -e go ]; do sleep 1; done; echo end; exit ${code}`
      const meanwhile = await begin(neighbour, waiting(7))
      const after = await begin(runner, waiting(0))
      await server().succeed(`systemctl kill --kill-who=main -s KILL wcpd && touch ${docroot(neighbour)}/go`)
      await eventually(server(), 'wcp status', /nginx +running/)
      await server().succeed(`touch ${docroot(runner)}/go`)

      expect((await watch(meanwhile)).stderr).toContain('The command ended with exit code 7')
      expect(await watch(after)).toMatchObject({ code: 0, stdout: 'begun\nend\n' })
      const both = [runner, neighbour].map((place) => `${docroot(place)}/began`)
      expect(await server().succeed(['cat', ...both])).toBe('began\nbegan\n')
      await server().succeed(['rm', ...both, `${docroot(neighbour)}/go`])
    })

    it('meet no name of another tenant that runs, and neither does PHP', async () => {
      const page = `${docroot(runner)}/seen.php`
      await server().succeed(`cat >${page} && chown ${runner.tenant}: ${page}`, { input: namesSeen })
      expect((await visit(server(), neighbour.site)).status).toBe(200)
      const job = await begin(neighbour, 'echo begun; sleep 600')
      const byPhp = async (word: string) =>
        Paths.parse(JSON.parse((await visit(server(), runner.site, `/seen.php?word=${word}`)).text))
      const byCommand = async (word: string) => Paths.parse(JSON.parse((await run('php', 'seen.php', word)).stdout))

      for (const seen of [byPhp, byCommand]) {
        expect(await seen(runner.tenant)).toEqual(expect.arrayContaining(['/proc/self/cgroup', '/srv/www/runner']))
        expect(await seen(neighbour.tenant)).toEqual([])
      }
      await server().succeed(['wcp', 'job', 'stop', job])
      expect((await watch(job)).stderr).toContain('The command was cancelled')
    })

    it('leave no unit, no process and no pipe behind', async () => {
      expect(await server().succeed(`systemctl list-units --all --plain --no-legend 'wcp-run-*'`)).toBe('')
      expect(await processes()).toBe('')
      expect((await server().run('pgrep -a systemd-run; ls -A /run/wcp360/runs')).stdout).toBe('')
    })
  })
}

function docroot({ tenant, site }: Place): string {
  return `/srv/www/${tenant}/sites/${site}/public`
}

/** Where, what and how, without the name of the unit. */
function mountsOf(lines: readonly string[]): readonly string[] {
  const parts = lines.filter(Boolean).map((line) => line.split(' ').slice(3, 6).join(' '))
  return parts.map((part) => part.replaceAll(/wcp-(?:run-[0-9a-f-]{36}|fpm-\w+)\.service/g, 'UNIT')).toSorted()
}
