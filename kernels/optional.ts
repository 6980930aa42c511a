/** The address of an operand that may be left out: 0 then. Callers give null for it. */
export type Optional = usize;
