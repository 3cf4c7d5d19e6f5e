/** `npm run docs`: writes the reference pages that are made from the code. A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { errorTable } from '../contract/errors.ts'
import { type AnyOperation, httpBinding, kindOf } from '../contract/operation.ts'
import { commandSpec, namedOptions, placeholder, usageLine } from '../lib/command-spec.ts'
import { apiRoot } from '../lib/http-call.ts'
import { operations } from '../resources/index.ts'
import { repository, sourceFiles } from './build-tree.ts'
import { drawing, importsOf } from './rooms.ts'

const generated = '<!-- Made by "npm run docs" from the code; change it there. -->\n\n'

/** File below the top → its text. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'docs/errors.md': errorsPage(),
    'docs/operations.md': operationsPage(),
    'ARCHITECTURE.md': architecturePage(),
  }
}

/** The page with today's drawing of the rooms in its place. */
function architecturePage(): string {
  const page = readFileSync('ARCHITECTURE.md', 'utf8')
  const picture = drawing(importsOf(sourceFiles(repository, 'src')))
  return page.replace(/(<!-- floors -->\n).*(<!-- \/floors -->)/s, `$1\n\`\`\`text\n${picture}\n\`\`\`\n\n$2`)
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { status, exit, help }]) => `| \`${code}\` | ${status} | ${exit} | ${help} |`,
  )
  return `${generated}# Errors

Every refusal is one of these: the code and the HTTP status in the API's problem document (RFC 9457), the exit code of \`wcp\`.

| code | HTTP status | exit code | what to do |
|---|---|---|---|
${rows.join('\n')}
`
}

function operationsPage(): string {
  const kinds = [...new Set(operations.map(kindOf))]
  return `${generated}# Operations

Each operation is a page, a REST route, a \`wcp\` command and a command of the terminal page; its name is the permission and the audit action.
\`wcp\` also takes \`--json\` with each, and \`--plan\` with those that change something.

${kinds.map(kindSection).join('\n')}`
}

function kindSection(kind: string): string {
  return `## ${kind}\n\n${operations
    .filter((operation) => kindOf(operation) === kind)
    .map(operationSection)
    .join('\n')}`
}

function operationSection(operation: AnyOperation): string {
  const { method, path } = httpBinding(operation)
  const spec = commandSpec(operation)
  const rows = [
    ...spec.args.map(
      ({ name, field }) => `| \`<${name}>\` | ${field.required ? 'required' : ''} | ${cell(field.description)} |`,
    ),
    ...namedOptions(spec).map(
      ({ flag, field, secret }) =>
        `| \`--${flag}${secret ? '' : ` ${cell(placeholder(field))}`}\` | ${field.required ? 'required' : ''} | ${cell(field.description)} |`,
    ),
  ]
  const table = rows.length === 0 ? '' : `\n| argument | | |\n|---|---|---|\n${rows.join('\n')}\n`
  return `### ${operation.name}\n\n${operation.summary}. \`${usageLine(operation)}\` · \`${method} ${apiRoot}${path}\`\n${table}`
}

function cell(text = ''): string {
  return text.replaceAll('|', '\\|')
}

if (import.meta.main) for (const [file, text] of Object.entries(referencePages())) writeFileSync(file, text)
