/** F24: the command and the API want the same thing at the same moment; and what root starts meanwhile is no shell. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { executable } from '../support/executable.ts'
import { observe } from './injected.ts'
import { inWorld, refusal, siteOf, type World } from './world.ts'

const verbs = ['suspend', 'unsuspend', 'delete', 'restore'] as const
type Verb = (typeof verbs)[number]
const site = siteOf('alpha')

const Won = z.looseObject({ jobId: z.string() })

/** @returns the job, or the code of the refusal */
async function byApi({ product }: World, verb: Verb): Promise<string> {
  const call =
    verb === 'delete' ? product.call('DELETE', `/domains/${site}`) : product.call('POST', `/domains/${site}/${verb}`)
  return (await refusal(call))?.code ?? Won.parse(await call).jobId
}

/** `wcp` of this product: in a mount namespace of its own, in which the product's /run is the machine's. */
async function byCommand({ product }: World, verb: Verb): Promise<string> {
  const inside = [
    '-c',
    'mount --bind "$0" /run && exec "$@"',
    `${product.root}/run`,
    executable(),
    'cli',
    'domain',
    verb,
    site,
  ]
  const argv = ['--mount', '--', '/bin/sh', ...inside, '--yes', '--json']
  const ended = await promisify(execFile)('/usr/bin/unshare', argv, { timeout: 60_000 }).catch((error) => error)
  if (ended.code === undefined) return Won.parse(JSON.parse(ended.stdout)).jobId
  const answer: { code?: string } = JSON.parse(ended.stdout)
  return answer.code ?? `exit ${ended.code}`
}

const docroot = ({ product }: World) =>
  product.places.customers.docroot(TenantName.parse('neighbour'), Fqdn.parse(siteOf('neighbour')))

it(
  'lets one of twenty at once win, and tells the others that it is busy',
  inWorld(
    'F24',
    '20 mixed changes of one site at once, by wcp and API',
    'one wins at a time, the others 409; no shell',
    async (world) => {
      await world.createTenant('alpha')
      await world.settled()
      const before = (await world.jobs()).length
      const started = await observe(world.product.pids.agent, 'execve')

      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const verb = verbs[index % 4] ?? 'suspend'
          return index % 3 === 0 ? byCommand(world, verb) : byApi(world, verb)
        }),
      )

      // The same words of the same person get the same job.
      const refused = ['busy', 'conflict', 'not_found']
      const won = new Set(answers.filter((answer) => !refused.includes(answer)))
      expect(won.size).toBeGreaterThan(0)
      const jobs = await world.settled()
      expect(new Set(jobs.slice(0, jobs.length - before).map(({ id }) => String(id)))).toEqual(won)
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
      await world.oracle()
      writeFileSync(join(docroot(world), 'index.php'), '<?php echo 1;')
      expect(await world.product.visit(siteOf('neighbour'), { path: '/index.php' })).toBe(200)
      const programs = (await started.end()).flatMap((line) => /execve\("([^"]+)"/.exec(line)?.[1] ?? [])
      expect(programs.length).toBeGreaterThan(0)
      expect(programs.filter((file) => /\/(sh|bash|dash|env|perl|python[\d.]*)$/.test(file))).toEqual([])
    },
  ),
)
