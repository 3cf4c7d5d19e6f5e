/** Parts of packages that no role ever calls: left out of the bundles, where it would cost start time and memory (docs/0011). */
import type { Plugin } from 'esbuild'

interface Omission {
  readonly file: RegExp
  readonly contents: string
}

const omissions: readonly Omission[] = [
  // better-sqlite3 would look for its addon in folders that a server does not have; `native-sqlite.ts` hands it over
  {
    file: /\/better-sqlite3\/lib\/binding\.js$/,
    contents: `exports.getBinding = (addon) => {
      if (typeof addon === 'object' && addon !== null) return addon
      throw new Error('Cannot load better-sqlite3: open databases through src/program/native-sqlite.ts')
    }`,
  },
  // forty-nine languages of messages that nobody sees: field-errors.ts words them
  { file: /\/zod\/v4\/locales\/index\.js$/, contents: `export { default as en } from './en.js'` },
  // no route has a schema (src/panel/http/server.ts gives Fastify its compilers)
  {
    file: /\/@fastify\/(ajv-compiler|fast-json-stringify-compiler)\/index\.js$/,
    contents: refusal('a schema of Fastify'),
  },
  // app.inject() of tests
  { file: /\/light-my-request\/index\.js$/, contents: refusal('app.inject()') },
  // pino's transports start threads from files
  { file: /\/pino\/lib\/transport\.js$/, contents: refusal('a transport of pino') },
]

function refusal(what: string): string {
  return `module.exports = () => { throw new Error('Cannot use ${what}: the executable leaves it out') }`
}

export const leaveOut: Plugin = {
  name: 'leave-out',
  setup(esbuild) {
    for (const { file, contents } of omissions)
      esbuild.onLoad({ filter: file }, ({ path }) => ({ contents, resolveDir: path.slice(0, path.lastIndexOf('/')) }))
    // Fastify loads HTTP/2 at its start and uses it only when asked to; server.ts brings its own servers
    esbuild.onResolve({ filter: /^node:http2$/ }, ({ importer }) =>
      importer.endsWith('/fastify/lib/server.js') ? { path: 'http2', namespace: 'leave-out' } : undefined,
    )
    esbuild.onLoad({ filter: /./, namespace: 'leave-out' }, () => ({ contents: 'module.exports = {}' }))
  },
}
