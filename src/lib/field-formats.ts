/** Formats of inputs that forms treat in a way of their own. */

/** A text of many lines, kept as it is: forms give it room. */
export const manyLines = 'many-lines'

/** What a thing was like when it was read: forms carry it along and do not ask for it. */
export const asRead = 'as-read'
