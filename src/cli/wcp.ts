/** One `wcp` command, from its words to its exit code. */
import type { Readable, Writable } from 'node:stream'
import type { Layout } from '../agent/os/layout.ts'
import { asWcpError, errorTable } from '../contract/errors.ts'
import { type Command, longForm } from '../lib/command-spec.ts'
import { type Output, printJson, printProblem } from '../lib/print.ts'
import { quoteWord } from '../lib/words.ts'
import type { Ask } from './ask.ts'
import { catalogue } from './catalogue.ts'
import { type ChosenPanel, choosePanel, panelCaller } from './remote/choose-panel.ts'
import { runWords, type Terminal } from './run-words.ts'

/** The surroundings of a command: its own process, or a test's. */
export interface Surroundings {
  readonly output: Output
  readonly ask: Ask
  readonly env: NodeJS.ProcessEnv
  /** Somebody sits at it. */
  readonly isTerminal: boolean
  /** @param root the directory that stands for `/` */
  places(root: string): Layout
  /** Where bytes go that are no text; null: a person reads there. */
  readonly bytes?: Writable | null
  /** Where they come from; null: a person types there. */
  readonly given?: Readable | null
  /** Said when somebody presses Ctrl-C from now on. */
  readonly onInterrupt: (hint: string) => void
}

/** @param argv what follows `wcp`. @returns the exit code of the error table. */
export async function wcp(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { output, env } = surroundings
  try {
    return await run(choosePanel(argv, env), surroundings)
  } catch (error) {
    const shown = asWcpError(error)
    if (argv.includes('--json')) printJson(output, shown.toProblem())
    else printProblem(output, shown)
    if (shown.code === 'internal') output.err(`${error instanceof Error ? error.stack : String(error)}\n`)
    return errorTable[shown.code].exit
  }
}

async function run(
  { server, root, words }: ChosenPanel,
  { output, ask, env, isTerminal, onInterrupt, bytes = null, given = null, ...machine }: Surroundings,
): Promise<number> {
  const places = machine.places(root)
  const elsewhere = root === '/' ? [] : ['--root', root]
  const self = ['wcp', ...(server === null ? elsewhere : ['--server', server.origin])].map(quoteWord).join(' ')
  const call = panelCaller(server, { cliSocket: places.cliSocket, env, ask })
  const terminal: Terminal = { call, output, onInterrupt, self, ask, bytes, given }
  const operations = catalogue()
  const typed = longForm(words)
  if (isCall(typed, operations)) return await runWords(typed, operations, terminal)
  const { runTree } = await import('./tree.ts')
  return await runTree(typed, { ...terminal, operations, server, places, elsewhere, env, isTerminal })
}

/** Names an operation, and asks for no help: it needs no tree of all commands. */
function isCall(words: readonly string[], operations: readonly Command[]): boolean {
  const [kind, verb] = words
  const end = words.indexOf('--')
  const read = end === -1 ? words : words.slice(0, end)
  const asksAbout = ['-h', '--help', '--version'].some((flag) => read.includes(flag))
  return !asksAbout && operations.some(({ name }) => name === `${kind}.${verb}`)
}
