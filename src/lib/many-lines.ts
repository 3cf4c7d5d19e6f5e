/** Format of an input that is a text of many lines, kept as it is: forms give it room. */
export const manyLines = 'many-lines'
