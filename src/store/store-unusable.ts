/** The store cannot be worked with, and starting again would change nothing: a person has to act. */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable'
}
