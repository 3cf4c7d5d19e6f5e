/** Compiles the one style sheet with Tailwind. */
import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'

const INPUT = 'templates/styles/app.css'

/** Written beside and renamed: several tests may compile at once. */
export function compileStyles(root: string, output: string): void {
  const compiler = join(root, 'node_modules/@tailwindcss/cli/dist/index.mjs')
  const unfinished = `${output}.${process.pid}`
  execFileSync(process.execPath, [compiler, '--input', INPUT, '--output', unfinished, '--minify'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  renameSync(unfinished, output)
}
