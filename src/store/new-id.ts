import { randomUUID } from 'node:crypto'
import { Id } from '../contract/values.ts'

export function newId(): Id {
  return Id.parse(randomUUID())
}
