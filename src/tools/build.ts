/** `npm run build`: makes `dist/wcpd`, byte for byte the same for the same commit, wherever it is built. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleAsset, cacheAsset } from '../program/packed-role.ts'
import { roleNames } from '../program/roles.ts'
import { bundleAll, bundleTool } from './build-bundles.ts'
import { commandsText } from './build-commands.ts'
import { writeExecutable } from './build-executable.ts'
import { nodeBinary, writeStrippedNode } from './build-node.ts'
import { notices } from './build-notices.ts'
import { compileStyles } from './build-styles.ts'
import { embeddedFiles, repository as root } from './build-tree.ts'
import { buildVersion } from './build-version.ts'

const dist = join(root, 'dist')
const folder = join(dist, 'build')

const addons = {
  'native/better_sqlite3.node': `node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`,
  'native/koffi.node': `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
}

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })

  await stage('strip node', () => writeStrippedNode(root, join(folder, 'node')))
  await stage('bundle roles', () => bundleAll(root, folder))
  await stage('cache code', writeCodeCaches)
  await stage('compile styles', () => compileStyles(root, join(folder, 'styles.css')))
  await stage('write commands, notices and version', writeTexts)
  await stage('join', () => writeExecutable({ root, folder, assets: assetFiles() }, 'wcpd'))
  await stage('check', () => execFileSync(join(folder, 'wcpd'), ['self-check'], { env: {}, stdio: 'inherit' }))
  await stage('publish', publish)
}

async function writeCodeCaches(): Promise<void> {
  const maker = join(folder, 'build-code-cache.cjs')
  await bundleTool(root, 'src/tools/build-code-cache.ts', maker)
  for (const role of roleNames) {
    const args = ['--hash-seed=42', maker, role, join(folder, `${role}.js`), join(folder, `${role}.cache`)]
    execFileSync(nodeBinary(root), args, { stdio: 'inherit' })
  }
}

function writeTexts(): void {
  writeFileSync(join(folder, 'commands.json'), commandsText())
  writeFileSync(join(folder, 'NOTICES.txt'), notices(root))
  writeFileSync(join(folder, 'VERSION'), buildVersion(root))
}

function assetFiles(): Record<string, string> {
  const generated = ['NOTICES.txt', 'VERSION', 'commands.json', 'styles.css'].map((name) => [name, name])
  const roles = roleNames.flatMap((role) => [
    [bundleAsset(role), `${role}.js`],
    [cacheAsset(role), `${role}.cache`],
  ])
  const fromTree = [...embeddedFiles(root).map((path) => [path, path]), ...Object.entries(addons)]
  return Object.fromEntries([...generated, ...roles, ...fromTree.map(([name, path]) => [name, `../../${path}`])])
}

/** The finished file appears whole or not at all. */
function publish(): string {
  renameSync(join(folder, 'wcpd'), join(dist, 'wcpd'))
  rmSync(join(folder, 'node'))
  const digest = createHash('sha256')
    .update(readFileSync(join(dist, 'wcpd')))
    .digest('hex')
  writeFileSync(join(dist, 'SHA256SUMS'), `${digest}  wcpd\n`)
  return `dist/wcpd, ${(statSync(join(dist, 'wcpd')).size / 1e6).toFixed(1)} MB, sha256 ${digest}`
}

async function stage(name: string, run: () => unknown): Promise<void> {
  const start = performance.now()
  const result = await run()
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${name}${typeof result === 'string' ? `: ${result}` : ''}`)
}

await main()
