/**
 * Operations and errors speak of tenants and packages, as API and command line do; people read of customers and plans on
 * every page. What stands in quotes, such as a name or a command, stays as it is, and so do places of files
 * and names of operations.
 */
export function plainWords(text: string): string {
  return text
    .split(/("[^"]*"|“[^”]*”|\/\S+)/)
    .map((part, at) => (at % 2 === 1 ? part : inWords(part)))
    .join('')
}

const words: readonly (readonly [RegExp, string])[] = [
  [/\btenant(s|’s)?\b(?!\.[a-z*])/g, 'customer$1'],
  [/\bTenant(s|’s)?\b/g, 'Customer$1'],
  [/\bpackage(s|’s)?\b(?!\.[a-z*])/g, 'plan$1'],
  [/\bPackage(s|’s)?\b/g, 'Plan$1'],
  [/\bnull for no limit\b/g, 'empty for no limit'],
]

function inWords(text: string): string {
  return words.reduce((told, [word, plain]) => told.replaceAll(word, plain), text)
}
