/** The agent ends and the run goes on. */
export class RunLeft extends Error {
  override readonly name = 'RunLeft'
}
