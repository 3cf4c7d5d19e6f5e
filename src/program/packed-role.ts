/** Second stage of the executable: a role's bundle, compiled from its embedded text with the code cache that the build made for it. */
import { constants, Script } from 'node:vm'
import { asset, assetNames } from './assets.ts'
import type { Role, RoleModule } from './roles.ts'

/** A bundle's place among the assets; stack traces show it as `wcp:agent.js`. */
export const bundleAsset = (role: string) => `roles/${role}.js`
export const cacheAsset = (role: string) => `roles/${role}.cache`

export function loadPackedRole(role: Role): RoleModule {
  const module: { exports: unknown } = { exports: {} }
  const run: unknown = compilePackedRole(role).runInThisContext()
  if (typeof run !== 'function') throw new Error(`Cannot load role "${role}": its bundle is no function`)
  run(module.exports, requireBuiltin, module)
  return module.exports as RoleModule // each role's entry is held to this type by roles.test.ts
}

/** Nothing is loaded from disk: what a bundle does not hold, such as an optional dependency, is missing. */
function requireBuiltin(name: string): unknown {
  const found = process.getBuiltinModule(name)
  if (found === undefined) throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
  return found
}

/** A cache that V8 refuses costs time, never correctness: the text is compiled again. */
export function compilePackedRole(role: string): Script {
  const hasCache = assetNames(cacheAsset(role)).length > 0
  return compileBundle(role, asset(bundleAsset(role)), hasCache ? asset(cacheAsset(role)) : undefined)
}

/** The build calls this too: a cache fits only the very text and options it was made from. `bundle` is ASCII. */
export function compileBundle(role: string, bundle: Uint8Array, cachedData?: Uint8Array): Script {
  const text = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength).toString('latin1')
  return new Script(`(function(exports,require,module){${text}\n})`, {
    filename: `wcp:${role}.js`,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
}
