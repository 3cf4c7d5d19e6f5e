/** Back to the version before: the store as it was before a newer version changed its schema. */
import { WcpError } from '../../contract/errors.ts'
import type { StoreAnswer, StoreRequest } from '../../contract/rescue.ts'
import { ownSchema } from '../../resources/index.ts'
import { isFile, type KeptCopy, keptCopies, putBack } from '../../store/kept-copy.ts'
import { schemaOf } from '../../store/migrate.ts'
import { openStore } from '../../store/open-store.ts'
import { record } from './record.ts'
import { forgetSince } from './restored-store.ts'
import { demandFile, withStore } from './store.ts'

type RollBack = Extract<StoreRequest, { do: 'roll-back' }>

export async function rollBack({ where, panelKey }: RollBack): Promise<StoreAnswer> {
  if (!isFile(where)) {
    throw new WcpError('conflict', 'Cannot roll back: of PostgreSQL the panel keeps no copies', {
      help: 'Put back the dump that was made before the upgrade, or install the newer version again.',
    })
  }
  demandFile(where)
  const newer = await closedSchema(where)
  if (newer <= ownSchema) {
    throw new WcpError('conflict', `Cannot roll back: this version works with the store as it is (schema ${newer})`, {
      help: 'Install the version to go back to first; its panel says whether this is needed.',
    })
  }
  const copy = newestOf(where)
  const aside = await putBack(copy, where, new Date().toISOString())
  await withStore({ where, panelKey }, ({ change, now }) =>
    change(async (stores, tx) => {
      await forgetSince(tx)
      await record(stores, { now, verb: 'roll-back', metadata: { from: newer, to: copy.schema, aside } })
    }),
  )
  return {
    of: 'rolled-back',
    did: [
      `The store is as it was before schema ${copy.schema} became ${newer}.`,
      `The newer one is kept as "${aside}"; remove it when nobody needs it any more.`,
    ],
  }
}

/** Opened and closed: whatever its write-ahead log still had is in the file afterwards. */
async function closedSchema(where: string): Promise<number> {
  const db = openStore(where)
  try {
    return await schemaOf(db)
  } finally {
    await db.destroy()
  }
}

function newestOf(where: string): KeptCopy {
  const copy = keptCopies(where).find(({ schema }) => schema <= ownSchema)
  if (copy !== undefined) return copy
  throw new WcpError('not_found', `Cannot roll back: there is no copy of "${where}" that this version can use`, {
    help: 'Put a backup back from before the upgrade, or install the newer version again.',
  })
}
