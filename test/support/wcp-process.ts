/** `wcp` as a process of its own, for a product in a directory of its own: `node wcp-process.ts <root> <words…>`. */
import { main } from '../../src/cli/main.ts'
import './checkout-assets.ts'

const [, , root = '', ...words] = process.argv
process.stderr.write('begins\n')
process.exitCode = await main(['--root', root, ...words])
