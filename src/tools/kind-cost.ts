/** The cost of a kind: the files of its own, and every other source file that names it: `npm run kind-cost -- <kind>`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repository, sourceFiles } from './build-tree.ts'

export interface KindCost {
  readonly own: readonly string[]
  readonly others: readonly string[]
}

/** @param kind in kebab case; its camel and snake case count as well */
export function kindCost(kind: string): KindCost {
  const files = [...sourceFiles(repository, 'src'), ...sourceFiles(repository, 'templates')]
    .filter((path) => /\.(ts|eta)$/.test(path) && !path.endsWith('.test.ts'))
    .toSorted()
  const isOwn = (path: string) =>
    path.startsWith(`src/resources/${kind}/`) || new RegExp(`^src/agent/kinds/${kind}(/|\\.ts$)`).test(path)
  const [first = '', ...rest] = kind.split('-')
  const camel = first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  const names = new RegExp(`\\b(${[kind, camel, kind.replaceAll('-', '_')].join('|')})s?\\b`)
  const others = files.filter((path) => !isOwn(path) && names.test(readFileSync(join(repository, path), 'utf8')))
  return { own: files.filter(isOwn), others }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { own, others } = kindCost(process.argv[2] ?? '')
  const lines = [
    `${own.length + others.length} source files`,
    ...['its own:', ...own.map((path) => `  ${path}`)],
    ...['others that name it:', ...others.map((path) => `  ${path}`)],
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
