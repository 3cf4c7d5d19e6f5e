/**
 * Loads what exists only beside the source and must not be bundled. Asked for this way round because the bundler
 * follows every `import` and every `createRequire` it can see.
 */
export function requireFromSource(name: string): unknown {
  return process.getBuiltinModule('node:module').createRequire(import.meta.url)(name)
}
