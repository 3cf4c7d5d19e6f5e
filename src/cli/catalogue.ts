/** The operations as the command line knows them, written down by the build: no command makes the schemas of any. */
import { once } from '../contract/once.ts'
import type { Command } from '../lib/command-spec.ts'
import { assetText } from '../program/assets.ts'

// the text is of this very build (src/tools/build-commands.ts)
export const catalogue = once(() => JSON.parse(assetText('commands.json')) as readonly Command[])
