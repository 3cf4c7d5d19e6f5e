import { assetText } from './assets.ts'

/** `0.1.0+g0123456789ab` in a release: the package's version and the commit it was built from. */
export function version(): string {
  return assetText('VERSION')
}
