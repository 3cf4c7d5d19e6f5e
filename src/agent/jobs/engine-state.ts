/** The state of the engine: registry and journal of one database, and the workshop that runs jobs. */
import type { Database } from '../../program/native-sqlite.ts'
import type { World } from '../kinds/provisioner.ts'
import type { EngineOptions } from './engine-api.ts'
import { Journal } from './journal.ts'
import type { Turn } from './lanes.ts'
import { Registry } from './registry.ts'
import type { Workshop } from './run-job.ts'

export interface EngineState {
  readonly database: Database
  readonly registry: Registry
  readonly journal: Journal
  readonly workshop: Workshop
}

export function engineState(options: EngineOptions, database: Database, judging: Turn): EngineState {
  const { machine, accounts, log, audit, emit, phpVersions, version, heartbeatMs = 3000 } = options
  const registry = new Registry(database)
  const journal = new Journal(database)
  const world: World = { registry, machine, accounts, phpVersions }
  const workshop = { world, journal, log, audit, emit, judging, heartbeatMs, version }
  return { database, registry, journal, workshop }
}
