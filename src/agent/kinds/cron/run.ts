import { cronRun } from '../../../resources/cron/jobs.ts'
import { running } from '../domain/run.ts'
import { provision } from '../provisioner.ts'

export const runCron = provision(cronRun, running)
