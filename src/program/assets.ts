/**
 * The only reader of embedded files: templates, styles, units, notices, addons, role bundles. In the executable they
 * are assets of the single executable; from source they are files of the checkout, the styles compiled when stale.
 */
import { getAssetKeys, getRawAsset, isSea } from 'node:sea'

/** True in the executable, false when the TypeScript files themselves run. */
export function isPacked(): boolean {
  return isSea()
}

/** The bytes of one embedded file. Read only: in the executable they are mapped pages, and writing to them ends the process. */
export function asset(name: string): Uint8Array {
  if (!isPacked()) return source().sourceAsset(name)
  if (!packedNames().has(name)) throw new Error(`Cannot read asset "${name}": the executable does not hold it`)
  return new Uint8Array(getRawAsset(name))
}

export function assetText(name: string): string {
  return Buffer.from(asset(name)).toString('utf8')
}

/** Names below a prefix, sorted: `assetNames('templates/mail/')`. */
export function assetNames(prefix: string): string[] {
  const names = isPacked() ? [...packedNames()] : source().sourceAssetNames()
  return names.filter((name) => name.startsWith(prefix)).sort()
}

let packed: ReadonlySet<string> | undefined

function packedNames(): ReadonlySet<string> {
  packed ??= new Set(getAssetKeys())
  return packed
}

/** Files of a checkout; reading them can start the Tailwind compiler, which no bundle may reach: `main.ts` hands it in. */
export interface AssetSource {
  sourceAsset(name: string): Uint8Array
  sourceAssetNames(): string[]
}

let checkout: (() => AssetSource) | undefined

/** @param load called for each asset that is read, so that nothing is loaded before the first */
export function readAssetsFrom(load: () => AssetSource): void {
  checkout = load
}

function source(): AssetSource {
  if (checkout === undefined) throw new Error('Cannot read assets: the process was not started from src/main.ts')
  return checkout()
}
