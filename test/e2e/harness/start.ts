// What a test starts from: a flavour as it comes, or a flavour prepared once and resumed ever after.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { prepareHost } from './host.ts'
import { type Image, image } from './images.ts'
import { exclusively } from './lock.ts'
import { Machine } from './machine.ts'
import { sweepOrphans } from './machine-record.ts'
import { places } from './places.ts'
import { keepNewest, touch } from './prune.ts'
import { type Flavour, recipeHash } from './recipe.ts'
import { Registry } from './registries.ts'

export type StartOptions = {
  /** A name of its own makes the machine easy to find; tests need none. */
  readonly name?: string
  /** A machine that survives this process: for work by hand. */
  readonly survives?: boolean
  /** MiB */
  readonly memory?: number
  readonly processors?: number
}

type Base = { readonly image: Image; readonly directory: string; readonly uses: readonly string[]; readonly size: Size }
type Size = { readonly memory: number; readonly processors: number }

/** A machine that has just booted: resumed from the flavour's own running state, in seconds. */
export async function start(flavour: Flavour, options: StartOptions = {}): Promise<Machine> {
  return machineOn(await pristine(await image(flavour), sizeOf(options)), options)
}

/** A machine that boots from nothing, as after the purchase. */
export async function boot(flavour: Flavour, options: StartOptions = {}): Promise<Machine> {
  return machineOn(cold(await image(flavour), sizeOf(options)), options)
}

/**
 * A machine on which `prepare` has run: once per key, then resumed from the saved state.
 * The key must name all that `prepare` puts in, such as a hash of the product's package. Nothing is kept when `prepare` throws.
 */
export async function warm(
  flavour: Flavour,
  key: string,
  prepare: (machine: Machine) => Promise<void>,
  options: StartOptions = {},
): Promise<Machine> {
  const under = await pristine(await image(flavour), sizeOf(options))
  const directory = join(
    places.warm,
    `${flavour}-${recipeHash([under.directory, buildOf(under.image), under.size, await prepareHost(), key])}`,
  )
  await freezeOnce(directory, under, prepare)
  keepNewest(places.warm, flavour, 8)
  return machineOn({ ...under, directory, uses: [...under.uses, directory] }, options)
}

/** Makes ready what `start` needs, so that the first test does not wait for it. */
export async function build(flavour: Flavour): Promise<void> {
  await pristine(await image(flavour), sizeOf({}))
}

async function pristine(from: Image, size: Size): Promise<Base> {
  const under = cold(from, size)
  const directory = join(from.directory, `booted-${recipeHash([size, await prepareHost()])}`)
  await freezeOnce(directory, under, async (machine) => {
    await machine.settled()
  })
  return { ...under, directory }
}

function cold(from: Image, size: Size): Base {
  return { image: from, directory: from.directory, uses: [from.directory], size }
}

async function freezeOnce(directory: string, under: Base, prepare: (machine: Machine) => Promise<void>): Promise<void> {
  if (!existsSync(directory)) {
    await exclusively(`state-${recipeHash(directory)}`, 3_600_000, async () => {
      if (existsSync(directory)) return
      const work = join(places.work, recipeHash(directory))
      rmSync(work, { recursive: true, force: true })
      mkdirSync(work, { recursive: true })
      await using machine = await machineOn(under, {})
      await prepare(machine)
      await machine.freezeInto(work)
      renameSync(work, directory)
    })
  }
  touch(directory)
}

let count = 0

function machineOn(
  { image: from, directory, uses, size }: Base,
  { name, survives = false }: StartOptions,
): Promise<Machine> {
  sweepOrphans()
  const registries = z
    .object({ registries: z.array(Registry) })
    .parse(JSON.parse(readFileSync(join(from.directory, 'recipe.json'), 'utf8'))).registries
  return Machine.create({
    name: name ?? `test-${process.pid}-${++count}`,
    flavour: from.flavour,
    image: from.directory,
    base: directory,
    uses: [...uses],
    registries,
    ...size,
    owner: survives ? null : process.pid,
  })
}

/** Told apart from an image built anew from the same recipe: saved disks stand on the blocks of this very one. */
function buildOf({ directory }: Image): string {
  return readFileSync(join(directory, 'build-id'), 'utf8')
}

function sizeOf({ memory = 2048, processors = 2 }: StartOptions): Size {
  return { memory, processors }
}
