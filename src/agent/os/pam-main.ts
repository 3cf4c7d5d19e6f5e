export async function main(): Promise<number> {
  process.stderr.write('Cannot check a password: it is not written yet\n')
  return 1
}
