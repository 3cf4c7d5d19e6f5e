/** Bundles the boot and each role into one CommonJS text of its own. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { roleNames, roleSources } from '../program/roles.ts'
import { leaveOut } from './build-leave-out.ts'

/**
 * Names are kept, and lines short, so that a stack trace from a server tells something; white space is not, as V8 keeps
 * the text in memory (docs/0011). ASCII, so that it is read without decoding.
 */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'none',
  define: { 'import.meta.url': '"file:///"' },
  external: ['pg-native', 'pino-pretty'],
  preserveSymlinks: true, // else a linked node_modules would show its real place
  logLevel: 'warning',
} satisfies BuildOptions

/** A tool of the build that is started many times, as plain JavaScript: to take the types away costs more than its start. */
export async function bundleTool(root: string, source: string, outfile: string): Promise<void> {
  await build({ ...options, absWorkingDir: root, entryPoints: [source], outfile })
}

/** In one call of esbuild, which then reads each source once for all roles. */
export async function bundleAll(root: string, output: string): Promise<void> {
  const entryPoints = [
    { in: 'src/main.ts', out: 'main' },
    ...roleNames.map((role) => ({ in: `src/${roleSources[role]}`, out: role })),
  ]
  await build({ ...options, absWorkingDir: root, entryPoints, outdir: output, plugins: [leaveOut] })
  renameSync(join(output, 'main.js'), join(output, 'main.cjs'))
}
