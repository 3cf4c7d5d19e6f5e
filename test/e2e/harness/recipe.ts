// Everything that decides what an image contains, as data: its hash names the image.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { debianLines, hostAptSources, type Suite } from './apt-sources.ts'
import { guestFiles, maskedUnits, readyFiles } from './guest-files.ts'
import { hostSuite } from './host.ts'
import { dokuwikiPackages, minimalServer, productPackages } from './packages.ts'
import { places } from './places.ts'
import { hostRegistries, type Registry } from './registries.ts'

export const flavours = ['trixie', 'trixie-ready', 'bookworm', 'bookworm-ready'] as const
export type Flavour = (typeof flavours)[number]

export const rootPassword = 'test-root-pw'

export type Recipe = {
  /** Raise it when the way of building changes and the data below do not. */
  readonly revision: number
  readonly flavour: Flavour
  readonly suite: Suite
  readonly sources: readonly string[]
  readonly aptSettings: readonly string[]
  readonly packages: readonly string[]
  readonly dokuwiki: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly masked: readonly string[]
  readonly rootPassword: string
  readonly registries: readonly Registry[]
  readonly rootFileSystem: readonly string[]
  readonly srvFileSystem: readonly string[]
}

// mke2fs of a newer host must not set what the guest's older fsck does not know.
const readableByAll = '^metadata_csum_seed,^orphan_file'
const lazily = 'lazy_itable_init=1,lazy_journal_init=1'

export async function recipe(flavour: Flavour): Promise<Recipe> {
  const suite: Suite = flavour.startsWith('trixie') ? 'trixie' : 'bookworm'
  const isReady = flavour.endsWith('-ready')
  const { registries, npmRegistry, aptSettings, certificates } = await hostRegistries()
  const authorizedKey = readFileSync(`${places.sshKey}.pub`, 'utf8')
  return {
    revision: 2,
    flavour,
    suite,
    sources: debianLines(suite, hostAptSources(), hostSuite()),
    aptSettings,
    packages: [...minimalServer, ...(isReady ? productPackages : [])],
    dokuwiki: isReady ? dokuwikiPackages[suite] : [],
    files: {
      ...guestFiles({ registries, npmRegistry, aptSettings, certificates, authorizedKey }),
      ...(isReady ? readyFiles : {}),
    },
    masked: maskedUnits,
    rootPassword,
    registries,
    rootFileSystem: ['-L', 'root', '-O', readableByAll, '-E', lazily], // the quota feature on / would start quota units of its own
    srvFileSystem: ['-L', 'srv', '-O', `quota,project,${readableByAll}`, '-E', `quotatype=usrquota:prjquota,${lazily}`],
  }
}

export function recipeHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}
