/** Small accidental changes to a source file: one dropped statement, turned condition, moved bound or lost entry each. */

import type { Node, SourceFile } from 'typescript/unstable/ast'
import {
  isArrayLiteralExpression,
  isBinaryExpression,
  isCallExpression,
  isConditionalExpression,
  isExpressionStatement,
  isIfStatement,
  isImportDeclaration,
  isNumericLiteral,
  isObjectLiteralExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isThrowStatement,
  isTypeNode,
} from 'typescript/unstable/ast/is'

export interface Mutant {
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** From 1. */
  readonly line: number
  /** Such as `a < b` → `a <= b`, on one line. */
  readonly change: string
}

type Edit = Pick<Mutant, 'start' | 'end' | 'replacement'>

export function mutantsOf(file: SourceFile): readonly Mutant[] {
  const found: Mutant[] = []
  const visit = (node: Node): void => {
    if (isLeftOut(node, file)) return
    for (const edit of editsOf(node, file)) found.push(described(edit, file.text))
    node.forEachChild(visit)
  }
  file.forEachChild(visit)
  return found
}

export function mutated(text: string, { start, end, replacement }: Edit): string {
  return text.slice(0, start) + replacement + text.slice(end)
}

/** What is known of a change stays known when only words around it were changed. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/\*|\*[ /]|\*$).*\n/gm, '').replace(/\s+\/\/ .*$/gm, '')
}

/** Types are the compiler's; words for people and lines of the log are nobody's behaviour. */
function isLeftOut(node: Node, file: SourceFile): boolean {
  if (isTypeNode(node) || isImportDeclaration(node)) return true
  const text = textOf(node, file)
  if (isExpressionStatement(node)) return /^(\w+\.|this\.|options\.|this\.#options\.|#)*#?log\b/.test(text)
  return isObjectLiteralExpression(node) && /^\{\s*help:/.test(text)
}

const swapped: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '&': ['|'],
  '|': ['&'],
}

const otherNames: Readonly<Record<string, string>> = { some: 'every', every: 'some', max: 'min', min: 'max' }

/** A link of a chain that narrows what comes out of it. */
const narrowing: ReadonlySet<string> = new Set(['where', 'filter', 'slice', 'toSorted', 'orderBy', 'limit', 'trim'])

function editsOf(node: Node, file: SourceFile): readonly Edit[] {
  const at = (part: Node, replacement: string): Edit => ({ start: part.getStart(file), end: part.end, replacement })
  const text = (part: Node) => textOf(part, file)
  if (isIfStatement(node)) return ['true', 'false'].map((value) => at(node.expression, value))
  if (isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].map((branch) => at(node, text(branch)))
  if (isBinaryExpression(node)) {
    const { operatorToken: operator, left, right } = node
    if (text(operator) === '??') return [at(node, text(left))]
    const sides = ['&&', '||'].includes(text(operator)) ? [at(node, text(left)), at(node, text(right))] : []
    return [...(swapped[text(operator)] ?? []).map((other) => at(operator, other)), ...sides]
  }
  if (isPrefixUnaryExpression(node) && text(node).startsWith('!')) return [at(node, text(node.operand))]
  if (isThrowStatement(node)) return [at(node, '{}')]
  if (isExpressionStatement(node)) return [at(node, '{}')]
  if (isNumericLiteral(node)) return [at(node, otherNumber(text(node)))]
  if (isArrayLiteralExpression(node)) return withoutEach(node.elements, file)
  if (isObjectLiteralExpression(node)) return withoutEach(node.properties, file)
  if (isCallExpression(node) && isPropertyAccessExpression(node.expression)) {
    const { expression: chain, name } = node.expression
    if (narrowing.has(text(name))) return [at(node, text(chain))]
    const other = otherNames[text(name)]
    return other === undefined ? [] : [at(name, other)]
  }
  if (isStringLiteral(node)) return conditionsOf(text(node)).map((without) => at(node, without))
  return text(node) === 'true' || text(node) === 'false' ? [at(node, text(node) === 'true' ? 'false' : 'true')] : []
}

/** One more; a time, a size or a share doubled; a mode with what the group may left out, or given. */
function otherNumber(text: string): string {
  const mode = /^(0o\d*)(\d)(\d)$/.exec(text)
  if (mode) return `${mode[1]}${mode[2] === '0' ? '5' : '0'}${mode[3]}`
  const value = Number(text.replaceAll('_', ''))
  return String(Number.isInteger(value) && value < 100 ? value + 1 : value * 2)
}

/** The list with one of its entries lost, once for each. */
function withoutEach(entries: readonly Node[], file: SourceFile): readonly Edit[] {
  return entries.map((entry, index) => {
    const next = entries[index + 1]
    const before = entries[index - 1]
    if (next) return { start: entry.getStart(file), end: next.getStart(file), replacement: '' }
    return { start: before ? before.end : entry.getStart(file), end: entry.end, replacement: '' }
  })
}

/** SQL with one condition lost that has no value of its own. */
function conditionsOf(sql: string): readonly string[] {
  const conditions = [
    ...sql.matchAll(/ and (?:(?! and | order | limit |[?@'"]).)+(?:'\w+'|\w)(?= and | order | limit |['"`]$)/g),
  ]
  return conditions.map(({ 0: part, index }) => sql.slice(0, index) + sql.slice(index + part.length))
}

function textOf(node: Node, file: SourceFile): string {
  return file.text.slice(node.getStart(file), node.end)
}

function described(edit: Edit, text: string): Mutant {
  const lineStart = text.lastIndexOf('\n', edit.start) + 1
  const lineEnd = text.indexOf('\n', edit.end)
  const before = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd)
  const after =
    before.slice(0, edit.start - lineStart) +
    edit.replacement +
    text.slice(edit.end, lineEnd === -1 ? text.length : lineEnd)
  const [was, is] = shortened(oneLine(before), oneLine(after))
  return { ...edit, line: text.slice(0, edit.start).split('\n').length, change: `${was} → ${is}` }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The part that differs, with some of what stands around it. */
function shortened(was: string, is: string): readonly [string, string] {
  const around = 24
  let first = 0
  while (first < was.length && was[first] === is[first]) first++
  let last = 0
  while (last < Math.min(was.length, is.length) - first && was.at(-1 - last) === is.at(-1 - last)) last++
  const part = (text: string) => {
    const [from, to] = [Math.max(0, first - around), Math.min(text.length, text.length - last + around)]
    const whole = `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`
    return whole.length > 110 ? `${whole.slice(0, 60)} … ${whole.slice(-45)}` : whole
  }
  return [part(was), part(is)]
}
