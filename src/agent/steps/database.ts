import type { Collation, DatabaseEngine, DatabaseName } from '../../contract/database.ts'
import { type Step, step } from './step.ts'

export interface WantedDatabase {
  readonly engine: DatabaseEngine
  readonly name: DatabaseName
  readonly collation: Collation
}

/** The database is there. What is in it is its owner's, who may have given it another collation since. */
export function database({ engine, name, collation }: WantedDatabase): Step {
  return step<{ readonly isThere: boolean }>({
    name: `database ${name}`,
    async check({ databases }) {
      return (await databases[engine].database(name)) === undefined ? { action: 'create', diff: collation } : undefined
    },
    async capture({ databases }) {
      return { isThere: (await databases[engine].database(name)) !== undefined }
    },
    apply: ({ databases }) => databases[engine].createDatabase(name, collation),
    async undo({ databases }, { isThere }) {
      if (!isThere) await databases[engine].dropDatabase(name)
    },
  })
}
