/** What `wcp` knows of the operations, as the text that it reads (src/cli/catalogue.ts). */
import { commandFacts } from '../lib/command-spec.ts'
import { operations } from '../resources/index.ts'

export function commandsText(): string {
  const commands = operations.map((operation) => Object.fromEntries(commandFacts.map((key) => [key, operation[key]])))
  return JSON.stringify(commands)
}
