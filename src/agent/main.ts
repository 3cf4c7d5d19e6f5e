export async function main(): Promise<number> {
  process.stderr.write('Cannot start the agent: it is not written yet\n')
  return 1
}
