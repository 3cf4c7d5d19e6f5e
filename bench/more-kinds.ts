/** The product with so many more kinds: copies of one that is there, each with its operations twice, built like the product itself. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repository } from '../src/tools/build-tree.ts'
import { kindCost } from '../src/tools/kind-cost.ts'

/** Whose operations are half of those that a copy has. */
const model = 'ssh-key'
const ingredients = ['src', 'systemd', 'templates', 'package.json', 'package-lock.json', 'sea-config.json']

/** @param folder empty. @returns the executable */
export function buildWithKinds(folder: string, count: number): string {
  for (const name of ingredients) cpSync(join(repository, name), join(folder, name), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  const names = Array.from({ length: count }, (_, index) => nameOf(index))
  const { own, others } = kindCost(model)
  for (const [index, name] of names.entries())
    for (const path of own) write(folder, renamed(path, name), copyOf(folder, path, name, index))
  for (const path of others) write(folder, path, withKinds(read(folder, path), names))
  execFileSync(process.execPath, ['src/tools/build.ts'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  return join(folder, 'dist/wcpd')
}

/** Letters alone, as the names of kinds are. */
function nameOf(index: number): string {
  const letter = (value: number) => String.fromCharCode(97 + value)
  return `more${letter(Math.floor(index / 26))}${letter(index % 26)}`
}

function copyOf(folder: string, path: string, name: string, index: number): string {
  const text = renamed(read(folder, path), name)
  if (path.endsWith('/operations.ts')) return text + twice(text)
  return text.replace(/^ {2}number: \d+,$/m, `  number: ${1000 + index},`)
}

function renamed(text: string, name: string): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1)
  return text.replaceAll(/ssh-key|sshKey|ssh_key/g, name).replaceAll(/SshKey|SSH key/g, title)
}

/** Every operation once more, under another name and address. */
function twice(operations: string): string {
  return [...operations.matchAll(/^export const (\w+) = (defineOperation\(\{\n.*?^\}\)\n)/gms)]
    .map(([, name, text = '']) => {
      const other = text.replace(/(name: '[^']+)'/, "$1-more'").replace(/(http: '[^']+)'/, "$1/more'")
      return `\nexport const ${name}More = ${other}`
    })
    .join('')
}

/** A list of kinds with more of them: its imports line by line, its entries beside the model's. */
function withKinds(text: string, names: readonly string[]): string {
  return text
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('import '))
        return /ssh/i.test(line) ? [line, ...names.map((name) => renamed(line, name))] : [line]
      return [
        line.replace(/\.\.\.\w+\(sshKey\)|\bsshKey\b/, (one) =>
          [one, ...names.map((name) => renamed(one, name))].join(', '),
        ),
      ]
    })
    .join('\n')
}

function read(folder: string, path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
