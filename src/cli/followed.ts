/** `wcp domain logs -f`: an option that stands in no request. */

export const logOperation = 'domain.logs'

/** Whether the log is to be followed, and the words without that. */
export function followed(words: readonly string[]): {
  readonly isFollowed: boolean
  readonly words: readonly string[]
} {
  const [kind, verb] = words[0] === 'wcp' ? words.slice(1) : words
  if (`${kind}.${verb}` !== logOperation) return { isFollowed: false, words }
  const rest = words.filter((word) => word !== '-f' && word !== '--follow')
  return { isFollowed: rest.length < words.length, words: rest }
}
