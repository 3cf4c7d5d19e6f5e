import { everyJob } from './every-job.ts'
import { everyType } from './scenarios.ts'

everyJob(everyType.filter((_, index) => index % 2 === 0))
