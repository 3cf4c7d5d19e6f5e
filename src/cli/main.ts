export async function main(): Promise<number> {
  process.stdout.write('Usage: wcp [--version | --notices]\n')
  return 0
}
