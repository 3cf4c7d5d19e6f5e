/** Opens the agent's database of the bench below a directory, as the agent's start does; what `f26-agent-schema.test.ts` kills. */
import { openAgentDatabase } from '../../src/agent/jobs/agent-database.ts'
import { Bench } from '../provisioners/bench.ts'

const bench = new Bench(process.argv[2])
const database = await openAgentDatabase(bench.places.agentDatabase, bench.machine())
database.close()
