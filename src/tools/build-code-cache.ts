/**
 * Makes the V8 code cache of a role's bundle, the same bytes each time. Its own process, started with a fixed
 * `--hash-seed`, as the seed orders V8's tables: `node --hash-seed=42 build-code-cache.ts <role> <bundle> <cache>`.
 *
 * The cache holds the functions that loading the role runs. One of all functions is three times as large, takes more
 * memory, and does not start a role quicker (docs/0011).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { compileBundle } from '../program/packed-role.ts'

const [role, bundle, cache] = process.argv.slice(2)
if (role === undefined || bundle === undefined || cache === undefined)
  throw new Error('Cannot run: three arguments needed')

/** Flags for events by the clock or by heat: dropped bytecode, better code. Off, so that each run leaves the same behind. */
const unsteady = ['flush-bytecode', 'opt', 'sparkplug', 'maglev']

for (const flag of unsteady) setFlagsFromString(`--no-${flag}`)
const script = compileBundle(role, readFileSync(bundle))
const load: unknown = script.runInThisContext()
if (typeof load !== 'function') throw new Error(`Cannot make a cache: the bundle of "${role}" is no function`)
load({}, (name: string) => process.getBuiltinModule(name), { exports: {} }) // what a role does begins with its main()

// V8 refuses a cache made under other flags than its own: have it note the flags that the executable runs with.
for (const flag of unsteady) setFlagsFromString(`--${flag}`)
setFlagsFromString('--hash-seed=0')
writeFileSync(cache, script.createCachedData())
process.exit() // no timer of a package keeps the build waiting
