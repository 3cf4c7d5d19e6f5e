import type { Tried } from './attack-class.ts'
import { password, type Stage } from './stage.ts'

const pairs = 12

export const guessing: Tried = {
  name: 'guessing passwords, and learning who has an account',
  holds: 'slowed by account and network, never locked out; the same answer after the same work',
  notYet: 'SFTP',
  async attack(stage, tally) {
    const times = { known: [] as number[], unknown: [] as number[] }
    const answers = new Set<string>()
    // In pairs, one after the other, so that whatever else the machine does slows both; each pair from a network of its own.
    for (let pair = 0; pair < pairs; pair++) {
      for (const kind of pair % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
        const email = kind === 'known' ? 'butcher@example.com' : `butchor${pair}@example.com`
        const { ms, seen } = await timed(stage, email, `127.1.${pair}.1`)
        times[kind].push(ms)
        answers.add(seen)
      }
    }
    tally.same([...answers].length, 1, `answers differ: ${[...answers].join(' / ').slice(0, 300)}`)
    const ratio = median(times.known) / median(times.unknown)
    // Without the work for an unknown account it would be far below a tenth, or above ten.
    tally.held(ratio > 0.4 && ratio < 2.5, `known accounts take ${ratio.toFixed(2)} times as long as unknown ones`)

    const attacker = stage.browser('127.2.1.1')
    const statuses: number[] = []
    for (let tries = 0; tries < 12; tries++)
      statuses.push(
        (await attacker.form('/login', { email: 'butcher@example.com', password: `guess number ${tries}` })).status,
      )
    tally.held(
      statuses.filter((status) => status === 401).length <= 5 && statuses.at(-1) === 429,
      `tries from one network: ${statuses}`,
    )
    const right = await stage.browser('127.2.1.2').signIn('butcher@example.com', password)
    tally.same(right.status, 429, 'the right password is taken while the network has to wait')
    const owner = await stage.browser('127.2.2.1').signIn('butcher@example.com', password)
    tally.same(owner.status, 303, 'a stranger has locked the owner out')

    const asked: string[] = []
    for (const email of ['butcher@example.com', 'nobody-at-all@example.com']) {
      const { status, text } = await stage
        .browser('127.2.3.1')
        .page(`/password/forgotten?email=${encodeURIComponent(email)}`)
      asked.push(`${status} ${comparable(text, email)}`)
    }
    tally.same(new Set(asked).size, 1, 'the page for a forgotten password tells who has an account')
  },
}

async function timed(stage: Stage, email: string, from: string): Promise<{ ms: number; seen: string }> {
  const browser = stage.browser(from)
  await browser.token()
  const began = performance.now()
  const { status, text } = await browser.form('/login', { email, password: 'a wrong password' })
  return { ms: performance.now() - began, seen: `${status} ${comparable(text, email)}` }
}

function comparable(text: string, email: string): string {
  return text
    .replaceAll(email, 'EMAIL')
    .replace(/name="_csrf" value="[^"]*"/g, '')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
