/** Redirects that lead a visitor in a circle. */
import type { Redirect } from '../../contract/site-settings.ts'

/** A browser gives up after about so many. */
const mostHops = 20

/** The path of one that leads back to where it begins, over others or by itself; also where the path grows with each round. */
export function redirectLoop(redirects: readonly Redirect[], names: readonly string[]): string | undefined {
  const starts = redirects.flatMap(({ from, isPrefix }) => (isPrefix ? [from, `${from}/a`] : [from]))
  return starts.find((start) => isEndless(redirects, names, start))
}

function isEndless(redirects: readonly Redirect[], names: readonly string[], start: string): boolean {
  let path: string | undefined = start
  for (let hops = 0; hops < mostHops; hops++) {
    path = next(redirects, names, path)
    if (path === undefined) return false
    if (path.toLowerCase() === start.toLowerCase()) return true
  }
  return true
}

/** Where this path of the site leads in the site; undefined where it leads elsewhere, or nowhere. */
function next(redirects: readonly Redirect[], names: readonly string[], path: string): string | undefined {
  const small = path.toLowerCase()
  const isBelow = (from: string) => small === from || small.startsWith(`${from}/`)
  const found =
    redirects.find((one) => !one.isPrefix && one.from.toLowerCase() === small) ??
    redirects
      .filter((one) => one.isPrefix && isBelow(one.from.toLowerCase()))
      .toSorted((a, b) => b.from.length - a.from.length)[0]
  if (found === undefined) return undefined
  const url = new URL(found.to, `http://${names[0]}`)
  if (!names.includes(url.hostname)) return undefined
  const target = decoded(url.pathname)
  return found.isPrefix ? `${target.replace(/\/$/, '')}${path.slice(found.from.length)}` || '/' : target
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
