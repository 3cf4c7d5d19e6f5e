/** Power cuts at random moments of a mixed load, and what the server must be after each of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../e2e/harness/machine.ts'
import { putWhoPage, signIn, visit } from '../e2e/server.ts'
import type { Visitor } from '../e2e/visitor.ts'
import { busyServer } from './busy-server.ts'
import { Client, hasEnded } from './power-client.ts'
import { Dice } from './power-dice.ts'
import { type Facts, gatherFacts } from './power-facts.ts'
import { domainName, Load, tenants } from './power-load.ts'
import { unexpectedLines } from './power-log.ts'
import { replay, verdict } from './power-verdict.ts'

export interface Cut {
  /** Milliseconds of load; from the second cut on, since ssh answered again. */
  readonly afterMs: number
  /** Names that were being changed at that moment. */
  readonly inFlight: number
}

export interface Round {
  readonly number: number
  readonly seed: number
  readonly cuts: readonly Cut[]
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  /** Jobs that had to be settled after the last boot. */
  readonly resumed: number
  readonly seconds: number
  /** Empty when every promise was kept. */
  readonly findings: readonly string[]
  /** Only with findings. */
  readonly evidence?: { readonly facts: Facts; readonly attempts: Client['attempts']; readonly journal: string }
}

/** Ten times what an emulated machine on an idle host takes. */
const patienceMs = 600_000
const hands = 6
const longestRound = 4
const shareCutAgain = 0.6

/** A server with customers on it that is cut as often as wanted; its client's memory goes through all cuts. */
export class CutServer implements AsyncDisposable {
  readonly #machine: Machine
  #panel: Visitor
  readonly #client: Client

  private constructor(machine: Machine, panel: Visitor) {
    this.#machine = machine
    this.#panel = panel
    this.#client = new Client(() => this.#panel)
  }

  /** Installed, set up, and with one tenant in each state, made in peace: the pattern for all others. */
  static async start(): Promise<CutServer> {
    const { machine, panel } = await busyServer()
    try {
      const server = new CutServer(machine, panel)
      await server.#makePattern()
      return server
    } catch (error) {
      await machine.stop()
      throw error
    }
  }

  /** A load and a cut in it; then, by chance, further cuts, up to `most`, while the server still boots or has just begun to work again. */
  async cut(number: number, seed: number, most: number): Promise<Round> {
    const began = Date.now()
    const dice = new Dice(seed + number)
    const before = this.#client.attempts.length
    const believed = replay((await gatherFacts(this.#machine)).panelJobs)
    const cuts = [await this.#cutUnder(new Load(this.#client, dice, believed, hands), dice.between(200, 6_000))]
    while (cuts.length < Math.min(most, longestRound) && dice.chance(shareCutAgain))
      cuts.push(await this.#cutUnder(new Load(this.#client, dice, believed, hands), dice.between(0, 20_000)))
    const { findings, facts, journal } = await this.#findings()
    const count = (kind: string) =>
      this.#client.attempts.slice(before).filter(({ outcome }) => outcome.kind === kind).length
    return {
      number,
      seed,
      cuts,
      acknowledged: count('acknowledged'),
      refused: count('refused'),
      unknown: count('unknown'),
      resumed: journal.split('job is resumed').length - 1,
      seconds: Math.round((Date.now() - began) / 1000),
      findings,
      ...(findings.length > 0 && { evidence: { facts, attempts: this.#client.attempts, journal } }),
    }
  }

  async #cutUnder(load: Load, afterMs: number): Promise<Cut> {
    await sleep(afterMs)
    const inFlight = load.inFlight()
    await this.#machine.powerCut()
    await load.stop()
    await this.#machine.bootAgain()
    return { afterMs, inFlight }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine.stop()
  }

  async #makePattern(): Promise<void> {
    const deeds = ['active', 'suspended'].flatMap((state, index) => {
      const tenant = `still${index}`
      return { state, tenant, one: domainName(tenant, 0), other: domainName(tenant, 1) }
    })
    for (const { state, tenant, one, other } of deeds) {
      await this.#must({ kind: 'tenant', verb: 'create', name: tenant }, tenant)
      await this.#must({ kind: 'domain', verb: 'create', name: one }, tenant)
      await this.#must({ kind: 'domain', verb: 'create', name: other }, tenant)
      await this.#must({ kind: 'domain', verb: 'suspend', name: other }, tenant)
      if (state === 'suspended') await this.#must({ kind: 'tenant', verb: 'suspend', name: tenant }, tenant)
    }
    await this.#must({ kind: 'tenant', verb: 'create', name: 'awake' }, 'awake')
    await this.#must({ kind: 'domain', verb: 'create', name: domainName('awake', 0) }, 'awake')
    await putWhoPage(this.#machine, 'awake', domainName('awake', 0))
    await this.#machine.succeed('sync') // what a customer has written is not ours to sync
  }

  async #must(...[deed, tenant]: Parameters<Client['submit']>): Promise<void> {
    const outcome = await this.#client.submit(deed, tenant)
    const job = outcome.kind === 'acknowledged' ? outcome.jobs[0] : undefined
    const end = job && (await this.#client.end(job))
    if (end !== 'succeeded')
      throw new Error(`Cannot ${deed.verb} ${deed.name}: ${JSON.stringify(outcome)}, ${end ?? 'no end was seen'}`)
  }

  async #findings(): Promise<{ findings: string[]; facts: Facts; journal: string }> {
    const failed = await this.#machine.settled()
    const isQuiet = await this.#quiet()
    const facts = await gatherFacts(this.#machine)
    const said = await this.#machine.run(
      'nginx -t -q 2>&1; wcp audit verify >/run/verified 2>&1 || cat /run/verified; systemctl is-active nginx wcpd wcpd-panel wcpd-waker | grep -vx active',
    )
    const journal = await this.#machine.succeed('journalctl -b --no-pager -o short-monotonic')
    const findings = [
      ...failed.map((unit) => `failed unit: ${unit}`),
      ...(isQuiet ? [] : ['jobs were still open after ten minutes']),
      ...said.stdout.split('\n').filter(Boolean),
      ...verdict(facts, this.#client),
      ...(await this.#wrongAnswers(facts)),
      ...unexpectedLines(journal),
    ]
    return { findings, facts, journal }
  }

  /** Until the panel answers and has no job open. */
  async #quiet(): Promise<boolean> {
    const deadline = Date.now() + patienceMs
    while (Date.now() < deadline) {
      if (await this.#hasNoOpenJob()) return true
      await sleep(700)
    }
    return false
  }

  async #hasNoOpenJob(): Promise<boolean> {
    try {
      const health = await this.#panel.api('GET', '/health')
      if (health.status === 401) this.#panel = await signIn(this.#machine)
      if (health.status !== 200) return false
      const { status, text } = await this.#panel.api('GET', '/jobs?limit=100')
      return status === 200 && JSON.parse(text).items.every(({ state }: { state: string }) => hasEnded(state))
    } catch {
      return false
    }
  }

  /** Each name ever used, asked over HTTP; and PHP of a customer who is asleep. */
  async #wrongAnswers({ panelJobs }: Facts): Promise<string[]> {
    const wanted = replay(panelJobs)
    const names = [...wanted.domains.keys(), ...tenants.map((tenant) => domainName(tenant, 0))]
    const unique = [...new Set(names)]
    const answers = await answersOf(this.#machine, unique)
    const { status, text } = await visit(this.#machine, domainName('awake', 0), '/who.php')
    const php =
      status === 200 && text.includes('/wcp-awake.slice/') ? [] : [`PHP answered ${status}: ${text.slice(0, 200)}`]
    return [
      ...unique.flatMap((name) => {
        const [is, should] = [answers.get(name), wanted.answers(name)]
        return is === should ? [] : [`${name} answers with ${is ?? 'silence'}, and should with ${should}`]
      }),
      ...php,
    ]
  }
}

/**
 * What each name answers, asked on the server itself and a few at a time: QEMU takes connections from outside one by one.
 * Pages are told by their status; nothing is a connection that was closed without a word, as for any foreign name.
 */
async function answersOf(machine: Machine, names: readonly string[]): Promise<Map<string, string>> {
  const urls = names.map((name) => `url = "http://${name}/"\noutput = "/dev/null"\n`).join('')
  const { stdout } = await machine.run(
    [
      ...['curl', '-s', '--parallel', '--parallel-max', '5', '-m', '120', '--connect-to', '::127.0.0.1:80'],
      ...['-w', '%{url} %{exitcode} %{http_code}\\n', '-K', '-'],
    ],
    { input: urls, timeout: patienceMs },
  )
  return new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [url = '', exit = '', status = ''] = line.split(' ')
        return [new URL(url).hostname, answerWords[`${exit} ${status}`] ?? `curl's exit code ${exit}, status ${status}`]
      }),
  )
}

/** curl's exit code and the status: 52 is a connection that was closed, 56 one that was reset. */
const answerWords: Readonly<Record<string, string>> = {
  '0 200': 'page',
  '0 503': 'notice',
  '52 000': 'nothing',
  '56 000': 'nothing',
}
