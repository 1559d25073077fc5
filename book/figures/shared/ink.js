// What a drawing field holds: strokes, lists of [x, y] in 0..SIDE. Pure: no page.

/** Pixels along a side of a drawing field. */
export const SIDE = 280;
