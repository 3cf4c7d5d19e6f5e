/**
 * Makes the V8 code cache of a role's bundle, the same bytes each time. Its own process, started with a fixed
 * `--hash-seed`, as the seed orders V8's tables: `node --hash-seed=42 build-code-cache.ts <role> <bundle> <cache>`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { compileBundle } from '../lib/packed-role.ts'

const [role, bundle, cache] = process.argv.slice(2)
if (role === undefined || bundle === undefined || cache === undefined)
  throw new Error('Cannot run: three arguments needed')

setFlagsFromString('--no-lazy') // compile every function, also those that only run later
const script = compileBundle(role, readFileSync(bundle))

// V8 refuses a cache made under other flags than its own: have it note the flags that the executable runs with.
setFlagsFromString('--lazy')
setFlagsFromString('--hash-seed=0')
writeFileSync(cache, script.createCachedData())
