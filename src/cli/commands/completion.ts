/** `wcp completion SHELL`: a few lines that ask `wcp complete` for the words, so that they never grow old. */
import { WcpError } from '../../contract/errors.ts'
import { kindOf, verbOf } from '../../contract/operation.ts'
import { type Command, commandSpec, namedOptions } from '../../lib/command-spec.ts'
import { httpCall } from '../../lib/http-call.ts'
import type { Output, Row } from '../../lib/print.ts'
import type { CallPanel } from '../client.ts'
import type { LocalCommand } from '../program.ts'

const scripts: Readonly<Record<string, string>> = {
  bash: `_wcp() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(wcp complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _wcp wcp
`,
  zsh: `#compdef wcp
_wcp() { compadd -- \${(f)"$(wcp complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"} }
compdef _wcp wcp
`,
  fish: `complete -c wcp -f -a '(wcp complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

export interface Completion {
  readonly operations: readonly Command[]
  readonly locals: readonly Pick<LocalCommand, 'words'>[]
  readonly call: CallPanel
}

export function completionCommands(completion: Completion, output: Output): readonly LocalCommand[] {
  return [
    {
      words: 'completion',
      summary: 'Print the completion script for bash, zsh or fish',
      args: [['<shell>', 'bash, zsh or fish']],
      async run([shell = '']) {
        const script = scripts[shell]
        if (script === undefined)
          throw new WcpError('bad_input', `Cannot complete for "${shell}"`, { help: 'Accepted: bash, zsh, fish.' })
        output.out(script)
        return 0
      },
    },
    {
      words: 'complete',
      summary: 'Print the words that may come next (for the completion scripts)',
      args: [['[words...]', 'what has been typed, the last perhaps unfinished']],
      async run(words) {
        const candidates = await candidatesFor(words, completion)
        output.out(candidates.map((word) => `${word}\n`).join(''))
        return 0
      },
    },
  ]
}

/** @param words the last is the one being typed. */
export async function candidatesFor(
  words: readonly string[],
  { operations, locals, call }: Completion,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? ''
  const [kind = '', verb = '', ...rest] = words.slice(0, -1)
  const begins = (candidates: readonly string[]) => [...new Set(candidates)].filter((word) => word.startsWith(typed))
  const commands = [
    ...operations.map((operation) => `${kindOf(operation)} ${verbOf(operation)}`),
    ...locals.map((local) => local.words),
  ]
  if (kind === '') return begins(commands.map((command) => command.split(' ')[0] ?? ''))
  if (verb === '')
    return begins(
      commands.filter((command) => command.startsWith(`${kind} `)).map((command) => command.split(' ')[1] ?? ''),
    )

  const operation = operations.find(({ name }) => name === `${kind}.${verb}`)
  if (operation === undefined) return []
  const spec = commandSpec(operation)
  const { args, options } = spec
  const last = rest.at(-1) ?? ''
  const option = options.find(({ flag, secret }) => last === `--${flag}` && !secret)
  if (option !== undefined) {
    return begins(
      option.field.choices.length > 0 ? option.field.choices : await namesOf(option.field.name, operations, call),
    )
  }
  if (typed.startsWith('-')) {
    const common = [
      '--json',
      '--help',
      ...(operation.effect === 'read' ? [] : ['--plan']),
      ...(operation.confirm === undefined ? [] : ['--yes']),
    ]
    return begins([...namedOptions(spec).map(({ flag }) => `--${flag}`), ...common])
  }
  const argument = args[rest.filter((word) => !word.startsWith('-')).length]
  if (argument === undefined) return []
  return begins(
    argument.field.choices.length > 0 ? argument.field.choices : await namesOf(argument.name, operations, call),
  )
}

/** The key by which people name a thing of each kind. */
const nameKeys = ['name', 'fqdn', 'email', 'key', 'id'] as const

async function namesOf(kind: string, operations: readonly Command[], call: CallPanel): Promise<readonly string[]> {
  const list = operations.find(({ name }) => name === `${kind}.list`)
  if (list === undefined) return []
  try {
    const { body } = await call(httpCall(list, { limit: 200 }))
    const { items } = body as { items: readonly Row[] } // the shape of every list
    return items.map((item) => String(item[nameKeys.find((key) => typeof item[key] === 'string') ?? 'id']))
  } catch {
    return [] // completion stays silent while the panel is down
  }
}
