/** Every migration of the agent's database, in order. */
import { foundation } from './0001-foundation.ts'
import { beganWith } from './0002-began-with.ts'
import { askedBy } from './0003-asked-by.ts'
import { things } from './0004-things.ts'
import { https } from './0005-https.ts'
import { databases } from './0006-databases.ts'
import { settings } from './0007-settings.ts'
import { apart } from './0008-apart.ts'
import type { AgentMigration } from './migration.ts'

export const agentMigrations: readonly AgentMigration[] = [
  foundation,
  beganWith,
  askedBy,
  things,
  https,
  databases,
  settings,
  apart,
]
