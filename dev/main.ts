/**
 * `npm run dev [-- DIR]`: panel, agent, nginx and PHP from the checkout on loopback, below a directory, with sample
 * customers and sites. What is edited in `src` and `templates` is taken into use at once; Ctrl-C ends every process, and the
 * next start goes on with the same directory. `npm run dev -- --words=longer` (or `rtl`): a panel alone, whose pages speak a catalogue of no language.
 */
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { installedPhp } from '../src/agent/os/php-versions.ts'
import { asset } from '../src/program/assets.ts'
import { english } from '../src/resources/index.ts'
import { repository } from '../src/tools/build-tree.ts'
import { rootPassword, setupPath } from '../test/browser/agent-peer.ts'
import { startTestPanel } from '../test/browser/panel.ts'
import { Product } from '../test/support/product.ts'
import { hosting } from '../test/support/requirements.ts'
import { pseudoWords, type Way, ways } from './pseudo-words.ts'
import { makeSample, people, sites } from './sample.ts'
import { endServers } from './servers.ts'
import { watchSources } from './watch.ts'
import '../test/support/checkout-assets.ts'

const [given] = process.argv.slice(2)
const way = ways.find((one) => given === `--words=${one}`)
const root = resolve(given ?? '/var/lib/wcp360-dev')
const passwordFile = join(root, 'password')

async function main(): Promise<void> {
  if (way !== undefined) return await showWords(way)
  const problem = hosting() ?? closedCheckout() ?? strangeRoot()
  if (problem !== undefined) throw new Error(problem)
  const told = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.resolve())

  compileStyles()
  const password = keptPassword()
  const product = await Product.make({
    command: [process.execPath, '--disable-warning=ExperimentalWarning', join(repository, 'src/main.ts')],
    root,
    log: true,
    detached: true,
  })
  try {
    await Promise.race([begin(product, password), told.promise])
    const watcher = watchSources(
      ['src', 'templates'].map((folder) => join(repository, folder)),
      () => again(product),
    )
    await told.promise
    await watcher.close()
  } finally {
    await product.stop()
    await endServers(root)
  }
  console.log('Ended. The same command goes on with what is there.')
}

/** The machine behind it is played; what is made there is gone at its end. */
async function showWords(way: Way): Promise<void> {
  compileStyles()
  const panel = await startTestPanel({ texts: pseudoWords(english, way) })
  console.log(`setup     ${panel.url}${setupPath} (its certificate signs itself), password of root: ${rootPassword}`)
  const told = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.resolve())
  await told.promise
  await panel.close()
}

async function begin(product: Product, password: string): Promise<void> {
  console.log(`Starting below ${root} …`)
  await product.start()
  await makeSample(product, { password, php: installedPhp()[0] ?? 'none' })
  console.log(welcome(product, password))
}

/** A change that does not start is told; the next one may mend it. */
async function again(product: Product): Promise<void> {
  try {
    compileStyles()
    await product.restart()
    console.log('Taken into use.')
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
}

/** By the owner of the checkout's say: the panel may not write there, and its owner shall be able to remove it. */
function compileStyles(): void {
  asset('styles.css')
  const { uid, gid } = statSync(repository)
  for (const path of ['dist', 'dist/styles.css']) chownSync(join(repository, path), uid, gid)
}

/** Written first of all: it marks the directory as made here. */
function keptPassword(): string {
  mkdirSync(root, { recursive: true })
  if (!existsSync(passwordFile))
    writeFileSync(passwordFile, `${randomBytes(9).toString('base64url')}\n`, { mode: 0o600 })
  return readFileSync(passwordFile, 'utf8').trim()
}

function strangeRoot(): string | undefined {
  if (!existsSync(root)) return undefined
  if (statSync(root).uid !== 0) return `${root} is not root's`
  const isOurs = existsSync(passwordFile) || readdirSync(root).length === 0
  return isOurs ? undefined : `${root} is not empty, and was not made here; name another directory`
}

function welcome({ ports: { panel, http } }: Product, password: string): string {
  const wcp = `npm run --silent wcp -- --root ${root}`
  const urls = sites.map((site) => `curl --resolve ${site}:${http}:127.0.0.1 http://${site}:${http}/`)
  return `
  panel     https://127.0.0.1:${panel}/ (its certificate signs itself)
  setup     closed: there is an administrator
  password  ${password}
  sign in   ${people.admin}, administrator
            ${people.reseller}, reseller of "garage"
            ${people.customer}, customer with "bakery"
  sites     ${urls.join('\n            ')}
  command   ${wcp} tenant list
  log       ${wcp} logs -f

Edited sources are taken into use. Ctrl-C ends it; all that it made lies in ${root}.`
}

/** Panel, waker and log writer read their sources as accounts of their own. */
function closedCheckout(): string | undefined {
  const above = (path: string): string[] => (path === '/' ? [path] : [path, ...above(dirname(path))])
  const closed = above(join(repository, 'src')).find((path) => (statSync(path).mode & 0o005) !== 0o005)
  return closed && `other accounts may not read ${closed}, where the sources are; run "chmod o+rx ${closed}"`
}

main().catch((error) => {
  console.error(`Cannot go on: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
