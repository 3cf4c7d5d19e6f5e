/** A browser by its name, as its owner knows it. */

/** Browsers that name themselves after others come before those: Edge says it is Chrome, Chrome that it is Safari. */
const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['Lynx/', 'Lynx'],
  ['w3m/', 'w3m'],
] as const

/** `Firefox on Linux`: what can be told of browser and system, else what the browser said of itself. */
export function clientName(agent: string): string {
  const browser = browsers.find(([mark]) => agent.includes(mark))?.[1]
  const system = /\b(Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux)\b/.exec(agent)?.[1]
  if (browser === undefined) return agent
  return system === undefined ? browser : `${browser} on ${system.replace('Mac OS X', 'macOS')}`
}
