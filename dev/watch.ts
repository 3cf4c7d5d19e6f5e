/** Tells when sources or templates have changed: once for changes that come together, and never while it is being answered. */
import { watch } from 'node:fs'

const togetherMs = 200

export function watchSources(folders: readonly string[], changed: () => Promise<void>): { close(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const watchers = folders.map((folder) =>
    watch(folder, { recursive: true }, (_event, name) => {
      if (name === null || !/\.(ts|eta|css|svg)$/.test(name) || name.endsWith('.test.ts')) return
      clearTimeout(timer)
      timer = setTimeout(() => {
        running = running.then(changed)
      }, togetherMs)
    }),
  )
  return {
    async close() {
      clearTimeout(timer)
      for (const one of watchers) one.close()
      await running
    },
  }
}
