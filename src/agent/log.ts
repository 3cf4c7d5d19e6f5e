/** The part of pino that the root side uses: a static message with its facts as fields. */
export interface Log {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
