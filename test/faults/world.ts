/** A product with a neighbour that nothing may happen to, and what must hold after every fault. */
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { z } from 'zod'
import { WcpError } from '../../src/contract/errors.ts'
import { Job } from '../../src/resources/job/schema.ts'
import { executable } from '../support/executable.ts'
import { Product, type ProductOptions } from '../support/product.ts'
import { asRow } from './rows.ts'

const neighbour = 'neighbour'
const JobPage = z.object({ items: z.array(Job) })
const Verification = z.object({ ok: z.boolean(), problems: z.array(z.unknown()) })
const LogLine = z.looseObject({ level: z.number(), msg: z.string() })
type LogLine = z.output<typeof LogLine>

/** Lines that any end of one side brings with it; the second where the other was just writing. */
const always = [/^the agent is gone$/, /^the line to the agent failed$/]

export class World {
  readonly product: Product

  private constructor(product: Product) {
    this.product = product
  }

  /** @param prepare is told the directory, which is laid out, before anything starts in it. */
  static async open(
    options: Partial<ProductOptions> = {},
    prepare: (product: Product) => void = () => {},
  ): Promise<World> {
    const product = await Product.make({ command: [executable()], ...options })
    const world = new World(product)
    try {
      prepare(product)
      await product.start()
      await product.stop()
      product.closeSetup()
      await product.start()
      await product.call('POST', '/packages', { name: 'basic' })
      await world.createTenant(neighbour)
      await world.settled()
      expect(await product.visit(siteOf(neighbour))).toBe(200)
      return world
    } catch (error) {
      await product.dispose()
      throw error
    }
  }

  /** With its first site, `<name>.example.com`; answers when the request is taken. */
  async createTenant(name: string): Promise<void> {
    await this.product.call('POST', '/tenants', { name, package: 'basic', domain: siteOf(name) })
  }

  async jobs(): Promise<readonly Job[]> {
    return JobPage.parse(await this.product.call('GET', '/jobs?limit=100')).items
  }

  /** Resolves with all jobs when none waits or runs. */
  async settled(patienceMs = 60_000): Promise<readonly Job[]> {
    let jobs: readonly Job[] = []
    const isSettled = async () => {
      jobs = await this.jobs().catch(() => [])
      return jobs.length > 0 && jobs.every(({ state }) => state !== 'queued' && state !== 'running')
    }
    await this.product.until('every job has ended', isSettled, patienceMs)
    return jobs
  }

  /** What the product said at the level of a warning or above, and what it said that is no line of its log. */
  complaints(): readonly string[] {
    return this.product.output.split('\n').filter(Boolean).flatMap(complaint)
  }

  /**
   * The rule after any fault: the neighbour was served, every job has ended or is visibly stalled, a new tenant can be made,
   * the audit trail is whole, the machine is as the registry says, and nothing was said that the fault does not explain.
   */
  async oracle(explained: readonly RegExp[] = []): Promise<void> {
    const { product } = this
    await this.settled()
    // The root side is the one who knows its health: a panel that has just started may still wait for it.
    await until('panel and agent are connected', () => product.call('GET', '/health').then(Boolean, () => false))
    const name = `after${Math.random().toString(36).slice(2, 10).replace(/\d/g, 'x')}`
    await this.createTenant(name)
    await this.settled()
    expect(await product.visit(siteOf(name))).toBe(200)
    expect(await product.visit(siteOf(neighbour))).toBe(200)
    expect(Verification.parse(await product.call('GET', '/audit/verify'))).toEqual(
      expect.objectContaining({ ok: true, problems: [] }),
    )
    expect(await product.call('GET', '/health/drift')).toMatchObject({ items: [] })
    const known = [...always, ...explained]
    expect(this.complaints().filter((line) => !known.some((pattern) => pattern.test(line)))).toEqual([])
  }

  close(): Promise<void> {
    return this.product.dispose()
  }
}

export function siteOf(tenant: string): string {
  return `${tenant}.example.com`
}

/** One fault in a world of its own, reported as a row of the table. */
export function inWorld(
  fault: string,
  name: string,
  outcome: string,
  work: (world: World) => Promise<void>,
  options: Partial<ProductOptions> = {},
): () => Promise<void> {
  return () =>
    asRow(fault, name, outcome, async () => {
      const world = await World.open(options)
      try {
        await work(world)
      } finally {
        await world.close()
      }
    })
}

/** The code of a refusal; anything else that goes wrong is thrown, and a success is `undefined`. */
export async function refusal(call: Promise<unknown>): Promise<WcpError | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (error instanceof WcpError) return error
    throw error
  }
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** What the descriptors of a process stand for, sorted. */
export function openPlaces(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
      } catch {
        return [] // closed meanwhile
      }
    })
    .sort()
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>, patienceMs = 30_000): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await pause(20)
  }
}

function complaint(line: string): readonly string[] {
  const entry = parsed(line)
  if (entry === undefined) return [line]
  return entry.level >= 40 ? [entry.msg] : []
}

function parsed(line: string): LogLine | undefined {
  try {
    return LogLine.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}
