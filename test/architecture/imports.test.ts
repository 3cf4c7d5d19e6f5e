/** What may reach what: each role is bundled, and its import closure is compared with what is forbidden to it, and why. */
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { roleSources } from '../../src/program/roles.ts'
import { sourceFiles, sourceText } from './sources.ts'

type Forbidden = readonly (readonly [pattern: RegExp, reason: string])[]

const unprivileged: Forbidden = [
  [/^src\/agent\//, 'root code belongs to the agent alone (B1-B4)'],
  [/node_modules\/(@koromix\/)?koffi/, 'native calls would let a taken-over process leave its sandbox'],
  [/^node:child_process$/, 'only the root side starts processes'],
  [/^src\/cli\//, 'the command is a client; what both need is in src/lib'],
]

const privileged: Forbidden = [
  [/node_modules\/(@fastify|fastify)\//, 'root never parses anything from the network'],
  [/node_modules\/(kysely|pg)\//, "root never opens the panel's state"],
  [/^src\/panel\//, 'the panel is not trusted by the root side'],
  [/^src\/resources\/[^/]+\/(?!jobs\.ts$)/, 'only jobs.ts of a slice is visible to the agent'],
]

const command: Forbidden = [
  [
    /^src\/resources\/([^/]+\/(kind|operations|store)|index)\.ts$/,
    'no command makes the schemas of kinds: it reads what the build wrote down',
  ],
]

const aloneInItsFile = [
  /node_modules\/|^src\/(?!agent\/os\/databases\/link-main)/,
  'it hands bytes on, and has no use for more',
] as const

const closures: Readonly<Record<string, Forbidden>> = {
  panel: unprivileged,
  'store-rescue': unprivileged,
  waker: [...unprivileged, [/node_modules\//, 'the waker stays small: no dependency']],
  'web-log': [...unprivileged, [/node_modules\//, 'the writer of logs stays small: no dependency']],
  'file-worker': unprivileged,
  'database-link': [...unprivileged.filter(([, reason]) => !reason.startsWith('root code')), aloneInItsFile],
  agent: privileged,
  drift: privileged,
  'disk-usage': privileged,
  rescue: privileged,
  cli: command,
}

async function closure(role: string): Promise<readonly string[]> {
  const source = roleSources[role as keyof typeof roleSources]
  const { metafile } = await build({
    entryPoints: [`src/${source}`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'bundle',
    external: ['*.node', 'pg-native'],
    logLevel: 'silent',
  })
  const imported = Object.values(metafile.inputs).flatMap((input) => input.imports)
  const builtins = imported.filter((entry) => entry.external).map((entry) => `node:${entry.path.replace(/^node:/, '')}`)
  return [...Object.keys(metafile.inputs), ...builtins]
}

describe.each(Object.entries(closures))('the %s role', (role, forbidden) => {
  it('reaches nothing that is forbidden to it', async () => {
    const reached = await closure(role)

    const wrong = reached.flatMap((path) =>
      forbidden.filter(([pattern]) => pattern.test(path)).map(([, reason]) => `${path}: ${reason}`),
    )

    expect(reached.length).toBeGreaterThan(1)
    expect(wrong).toEqual([])
  })
})

interface Rule {
  readonly files: RegExp
  readonly except?: RegExp
  readonly never: RegExp
  readonly reason: string
}

const rules: readonly Rule[] = [
  {
    files: /^src\/contract\/(?!.*\.test\.ts$)/,
    never: /^import .*from '(?!zod'|\.)/m,
    reason: 'the shared vocabulary is pure: it imports zod and itself',
  },
  {
    files: /^src\/agent\//,
    except: /^src\/agent\/os\//,
    never: /from 'node:child_process'/,
    reason: 'src/agent/os starts processes, nothing else does',
  },
  {
    files: /^src\/(agent|waker|web-log|panel)\//,
    never: /\bshell: *true|['"`]\/bin\/(ba|da)?sh\b|\bexecSync\(|\bsh -c\b/,
    reason: 'no shell, ever (B9)',
  },
  {
    files: /^src\//,
    except: /^src\/(main|program\/(assets|packed-role|native-addon|version|self-check))\.ts$/,
    never: /from 'node:sea'/,
    reason: 'program/assets.ts is the reader of embedded files',
  },
  {
    files: /^src\//,
    except: /^src\/(lib\/|program\/|tools\/|main\.ts)|\.test\.ts$/,
    never: /console\.|debugger/,
    reason: 'logs go through pino, output through the CLI printer',
  },
  {
    files: /^src\//,
    never: /\bas any\b|: any(?=[,;)=\]|}\n])|<any>|@ts-(ignore|expect-error|nocheck)/,
    reason: 'parse at the edge, trust inside',
  },
  { files: /./, never: /registry\.npmjs|deb\.debian\.org|npm\.pkg/, reason: 'no registry host is named anywhere' },
]

describe('house rules', () => {
  it.each(rules)('$reason', ({ files, except, never }) => {
    const wrong = sourceFiles()
      .filter((path) => files.test(path) && !except?.test(path) && !path.startsWith('test/architecture/'))
      .filter((path) => never.test(withoutComments(sourceText(path))))

    expect(wrong).toEqual([])
  })

  it('a slice never imports the store of another slice', () => {
    const wrong = sourceFiles()
      .filter((path) => /^src\/resources\/[^/]+\//.test(path) && !path.endsWith('.test.ts'))
      .filter((path) => /^import (?!type)[^'"]*from '\.\.\/[a-z-]+\/([a-z-]+-)?store\.ts'/m.test(sourceText(path)))

    expect(wrong).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
