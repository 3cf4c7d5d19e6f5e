/** Tests read templates and styles from the checkout, as `src/main.ts` does when it is not packed. */
import { readAssetsFrom } from '../../src/program/assets.ts'
import * as checkout from '../../src/tools/assets-source.ts'

readAssetsFrom(() => checkout)
