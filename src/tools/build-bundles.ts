/** Bundles the boot and each role into one CommonJS text of its own. */
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { roleNames, roleSources } from '../lib/roles.ts'

/** Names and lines are kept, so that a stack trace from a server tells something; ASCII, so that it is read without decoding. */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  charset: 'ascii',
  minifySyntax: true,
  legalComments: 'none',
  define: { 'import.meta.url': '"file:///"' },
  external: ['pg-native', 'pino-pretty'],
  preserveSymlinks: true, // else a linked node_modules would show its real place
  logLevel: 'warning',
} satisfies BuildOptions

export async function bundleAll(root: string, output: string): Promise<void> {
  await Promise.all([
    bundle(root, 'src/main.ts', join(output, 'main.cjs')),
    ...roleNames.map((role) => bundle(root, `src/${roleSources[role]}`, join(output, `${role}.js`))),
  ])
}

async function bundle(root: string, entry: string, outfile: string): Promise<void> {
  await build({ ...options, absWorkingDir: root, entryPoints: [entry], outfile, plugins: [withoutPrebuilds] })
}

/** better-sqlite3 would look for its addon in folders that a server does not have; `native-sqlite.ts` hands it over. */
const withoutPrebuilds: Plugin = {
  name: 'without-prebuilds',
  setup(esbuild) {
    esbuild.onLoad({ filter: /better-sqlite3\/lib\/binding\.js$/ }, () => ({
      contents: `exports.getBinding = (addon) => {
        if (typeof addon === 'object' && addon !== null) return addon
        throw new Error('Cannot load better-sqlite3: open databases through src/lib/native-sqlite.ts')
      }`,
    }))
  },
}
