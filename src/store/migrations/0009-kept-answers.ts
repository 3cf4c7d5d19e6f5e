/** Answers that are kept for calls with an Idempotency-Key. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const keptAnswers: Migration = {
  number: 9,
  name: 'kept-answers',
  statements: (words) => [
    table(words, 'kept_answers', {
      key_digest: 'text not null unique',
      request_digest: 'text not null',
      answer: 'text not null',
    }),
    index('kept_answers', 'created_at'),
  ],
}
