import type { Answer } from '../operations/support/client.ts'
import type { Tried } from './attack-class.ts'
import { oneToken } from './c24-one-token.ts'
import type { Stage } from './stage.ts'

const atOnce = 20

export const races: Tried = {
  name: 'many at once for what is there once',
  holds: 'as many succeed as may; the others are refused, nothing is left over',
  says: [/^a job failed$/],
  async attack(stage, tally) {
    await stage.root('POST', '/packages', { name: 'narrow', maxDomains: 1 })
    await stage.root('POST', '/tenants', { name: 'narrowone', package: 'narrow' })
    await stage.world.settled()
    const domains = await together((index) =>
      stage.root('POST', '/domains', { tenant: 'narrowone', fqdn: `n${index}.narrow-one.net`, php: 'none' }),
    )
    tally.same(won(domains), 1, 'domains above the limit of a package')
    await onlyOnce(
      stage,
      (index) =>
        stage.root('POST', '/domains', {
          tenant: index % 2 === 0 ? 'bakery' : 'butcher',
          fqdn: 'wanted-by-both.net',
          php: 'none',
        }),
      (count) => tally.same(count, 1, 'one name for two tenants'),
    )
    await onlyOnce(
      stage,
      () => stage.root('POST', '/tenants', { name: 'wantedname', package: 'basic' }),
      (count) => tally.same(count, 1, 'one name of a tenant'),
    )
    await onlyOnce(
      stage,
      () =>
        stage.root('POST', '/users', {
          email: 'wanted@example.com',
          password: 'correct horse battery',
          role: 'user',
          tenant: 'butcher',
        }),
      (count) => tally.same(count, 1, 'one address of a user'),
    )
    await onlyOnce(
      stage,
      () => stage.root('POST', '/packages', { name: 'wanted' }),
      (count) => tally.same(count, 1, 'one name of a package'),
    )
    await onlyOnce(
      stage,
      (index) =>
        stage.root(
          index % 2 === 0 ? 'DELETE' : 'POST',
          index % 2 === 0 ? '/tenants/narrowone' : '/tenants/narrowone/suspend',
        ),
      (count) => tally.same(count, 1, 'a deletion and a suspension at once'),
    )
    await oneToken(stage, tally)
    const jobs = await stage.world.settled()
    tally.held(
      jobs.every(({ state }) => state !== 'stalled'),
      'a job has stalled',
    )
    tally.same((await stage.root('GET', '/health/drift')).json().items, [], 'drift')
  },
}

async function onlyOnce(
  { world }: Stage,
  ask: (index: number) => Promise<Answer>,
  see: (won: number) => void,
): Promise<void> {
  see(won(await together(ask)))
  await world.settled()
}

function together(ask: (index: number) => Promise<Answer>): Promise<readonly Answer[]> {
  return Promise.all(Array.from({ length: atOnce }, (_, index) => ask(index)))
}

/** The others were refused, not broken. */
function won(answers: readonly Answer[]): number {
  const odd = answers.find(({ status }) => status >= 300 && ![404, 409, 422].includes(status))
  return odd === undefined ? answers.filter(({ status }) => status < 300).length : -odd.status
}
