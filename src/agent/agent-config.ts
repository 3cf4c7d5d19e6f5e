import { dirname } from 'node:path'
import { type Config, defaultConfigText, loadConfig } from '../lib/config.ts'
import { createFiles } from './os/files.ts'
import type { Layout } from './os/layout.ts'

/** The configuration as it stands now; the first start writes the sample. Throws `ConfigError`. */
export async function readConfig(places: Layout): Promise<Config> {
  const files = createFiles({ root: places.root, owner: 0 })
  await files.makeDirectory(dirname(places.config), { mode: 0o700, uid: 0, gid: 0 })
  const text = await files.readText(places.config)
  if (text !== undefined) return loadConfig(text, process.env, places.config)
  await files.writeFile(places.config, defaultConfigText(), { mode: 0o600, uid: 0, gid: 0 })
  return loadConfig('', process.env, places.config)
}
